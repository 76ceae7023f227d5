"""DCLM's CORE: which tasks, from which files, asked how.

Facts of `eval/mmlu_and_lowvar.yaml` (without MMLU) in mlfoundations/dclm and of llm-foundry's
defaults. Departures from llm-foundry, each small:

- context and answer are tokenised together, as lm-eval does, and not one by one;
- the solved examples are other random ones of the same file (its generator cannot be matched);
- chance follows from the items, where DCLM has a hand-typed table; ties share the credit;
- jeopardy is the mean over its items, not over its five categories.
"""

from dataclasses import dataclass

from assay.suite.spec import Form

COMMIT = "8c8dd48f72168c5d51e2f7b151595892a8fba43d"
"""Of mosaicml/llm-foundry, where the files are under `scripts/eval/local_data`."""


@dataclass(frozen=True)
class CoreTask:
    """One task of CORE.

    Attributes:
        name: DCLM's label.
        file: Below `scripts/eval/local_data`, without `.jsonl`.
        blob: git's content id of that file at `COMMIT` (SHA-1 with a header).
        form: What llm-foundry calls multiple_choice, schema, language_modeling.
        shots: Solved examples.
        suffix: Put after every question (llm-foundry's continuation delimiter, less its last space).
    """

    name: str
    file: str
    blob: str
    form: Form
    shots: int
    suffix: str = ""


_ANSWER = "\nAnswer:"

# fmt: off
CORE = (
    CoreTask("hellaswag_zeroshot", "language_understanding/hellaswag",
             "448321079fdc140bd8566b16b24eda9ceacd3501", "choice", 0),
    CoreTask("jeopardy", "world_knowledge/jeopardy_all",
             "2f771918dbc8b68550df204171b14d2648b5d494", "exact", 10, _ANSWER),
    CoreTask("bigbench_qa_wikidata", "world_knowledge/bigbench_qa_wikidata",
             "5e1be72797ba082fd4f6efa42f7d759d2d23339a", "exact", 10),
    CoreTask("arc_easy", "world_knowledge/arc_easy",
             "b5fd1bf87a24246a6be67230b721541688f5c349", "choice", 10, _ANSWER),
    CoreTask("arc_challenge", "world_knowledge/arc_challenge",
             "ce66b8dcfb4bac892a404a0dda8b4e8ed0f84b89", "choice", 10, _ANSWER),
    CoreTask("copa", "commonsense_reasoning/copa",
             "b22f96e08ae9d0e97e1ae58f67b6425c77ef200a", "choice", 0),
    CoreTask("commonsense_qa", "commonsense_reasoning/commonsense_qa",
             "f1cc16a88b05ab0934aab2ec2d02a6869e6e5520", "choice", 10),
    CoreTask("piqa", "commonsense_reasoning/piqa",
             "a9992adfdefde366fe7ccff871f5aa62449a09cf", "choice", 10, _ANSWER),
    CoreTask("openbook_qa", "commonsense_reasoning/openbook_qa",
             "a8aff255a64cbc72a85252acf00df25a315686c2", "choice", 0),
    CoreTask("lambada_openai", "language_understanding/lambada_openai",
             "4da02dd53b9e7385871d06ab855471d77b2f7dda", "exact", 0),
    CoreTask("hellaswag", "language_understanding/hellaswag",
             "448321079fdc140bd8566b16b24eda9ceacd3501", "choice", 10),
    CoreTask("winograd", "language_understanding/winograd_wsc",
             "762fe030ac6938ecba438c47a04057247c6ab891", "schema", 0),
    CoreTask("winogrande", "language_understanding/winogrande",
             "316e87ae4659f0c402b0f00551fdec83ab0a0986", "schema", 0),
    CoreTask("bigbench_dyck_languages", "symbolic_problem_solving/bigbench_dyck_languages",
             "27a4ac2b3b18716add92f4ecd62475c4f8d77768", "exact", 10),
    CoreTask("agi_eval_lsat_ar", "symbolic_problem_solving/agi_eval_lsat_ar",
             "d663b427ba310d3f877f09a6830198ca7c856189", "choice", 3),
    CoreTask("bigbench_cs_algorithms", "symbolic_problem_solving/bigbench_cs_algorithms",
             "7ecee0f270f3de8b6558da14ae02181f3d950a40", "exact", 10),
    CoreTask("bigbench_operators", "symbolic_problem_solving/bigbench_operators",
             "a982dc4f962725c9dc4abb07d3cc333c99959290", "exact", 10),
    CoreTask("bigbench_repeat_copy_logic", "symbolic_problem_solving/bigbench_repeat_copy_logic",
             "86621f10e7124ed6f3a61fb91493c1256c008f60", "exact", 10),
    CoreTask("squad", "reading_comprehension/squad",
             "dc733b8f58ec666c53fd946198c434b819a00680", "exact", 10),
    CoreTask("coqa", "reading_comprehension/coqa",
             "028bd4e51326cc43f8394987ae47fbb271aeba9d", "exact", 0),
    CoreTask("boolq", "reading_comprehension/boolq",
             "f42083a58713d00ef4600118cfdf79618c269190", "choice", 10, _ANSWER),
    CoreTask("bigbench_language_identification", "language_understanding/bigbench_language_identification",
             "1f132fbbb12a67ce267b7b92b458175632c265f3", "choice", 10),
)
# fmt: on
"""In DCLM's order."""
