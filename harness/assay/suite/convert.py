"""Suites from other people's files: DCLM's CORE (llm-foundry's records) and BLiMP."""

import gzip
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from assay.errors import SuiteError
from assay.suite.core import CORE, CoreTask
from assay.suite.files import write_suite
from assay.suite.items import Item
from assay.suite.spec import Suite

BLIMP_PARADIGMS = 67
_SUFFIXES = (".jsonl", ".jsonl.zst", ".jsonl.gz")


def build_core(source: Path, out: Path) -> tuple[Suite, list[str]]:
    """Convert CORE's files and seal them.

    Args:
        source: A folder that holds llm-foundry's files, at any depth, plain or compressed.
        out: The suite's new folder.

    Returns:
        The suite, named `core`, or `core<n>` where only n of the 22 tasks' files are there; and the
        names of the absent tasks.

    Raises:
        SuiteError: If there is none, or a record has another form than expected.
    """
    found = {task.name: _find(source, Path(task.file).name) for task in CORE}
    tasks: dict[str, tuple[list[Item], dict[str, Any]]] = {}
    for task in CORE:
        path = found[task.name]
        if path:
            items = [_core_item(task, record, f"{path}:{n}") for n, record in _records(path)]
            tasks[task.name] = (items, _core_fields(task))
    absent = [task.name for task in CORE if not found[task.name]]
    if not tasks:
        raise SuiteError(
            f"{source} holds none of CORE's files, such as arc_easy.jsonl; get them with: "
            "assay suite fetch core --out SRC"
        )
    name = "core" if not absent else f"core{len(tasks)}"
    return write_suite(name, 1, tasks, out), absent


def build_blimp(source: Path, out: Path) -> Suite:
    """Convert BLiMP's minimal pairs and seal them, a task a paradigm.

    Args:
        source: A `.jsonl` file (may be compressed) or a folder of them.
        out: The suite's new folder.

    Returns:
        The suite, named `blimp`, or `blimp<n>` where only n of the 67 paradigms are there.

    Raises:
        SuiteError: If there are no pairs.
    """
    paths = (
        [source]
        if source.is_file()
        else sorted(p for s in _SUFFIXES for p in source.rglob(f"*{s}"))
    )
    pairs: dict[str, list[dict[str, Any]]] = {}
    for path in paths:
        for _, record in _records(path):
            if "sentence_good" in record and "sentence_bad" in record:
                pairs.setdefault(record["UID"], []).append(record)
    if not pairs:
        raise SuiteError(
            f"{source} holds no BLiMP pairs (sentence_good, sentence_bad, UID); get the data folder of "
            "https://github.com/alexwarstadt/blimp"
        )
    tasks = {uid: _paradigm(pairs[uid]) for uid in sorted(pairs)}
    name = "blimp" if len(tasks) == BLIMP_PARADIGMS else f"blimp{len(tasks)}"
    return write_suite(name, 1, tasks, out)


def _paradigm(records: list[dict[str, Any]]) -> tuple[list[Item], dict[str, Any]]:
    items: list[Item] = [
        {"context": "", "choices": [record["sentence_good"], record["sentence_bad"]], "gold": 0}
        for record in records
    ]
    fields = {
        "group": records[0]["field"].replace("/", "_"),
        "form": "choice",
        "delimiter": "",
        "normalization": "none",
        "description": records[0]["linguistics_term"],
    }
    return items, fields


def _core_fields(task: CoreTask) -> dict[str, Any]:
    return {
        "group": Path(task.file).parent.name,
        "form": task.form,
        "shots": task.shots,
        # llm-foundry compares mean losses per token; under a schema the answers are the same.
        "normalization": "tokens" if task.form == "choice" else "none",
    }


def _core_item(task: CoreTask, record: dict[str, Any], where: str) -> Item:
    """Turn a record into an item. Ends are stripped and a space put before answers, as there."""
    try:
        if task.form == "choice":
            choices = [choice.strip() for choice in record["choices"]]
            context = record["query"].strip() + task.suffix
            return {"context": context, "choices": choices, "gold": record["gold"]}
        if task.form == "schema":
            contexts = [context.strip() for context in record["context_options"]]
            return {
                "contexts": contexts,
                "continuation": record["continuation"].strip(),
                "gold": record["gold"],
            }
        context = record["context"].strip() + task.suffix
        return {"context": context, "continuation": record["continuation"].strip()}
    except KeyError as error:
        raise SuiteError(
            f"{where}: task {task.name!r} expects the key {error}, got {sorted(record)}; take the file "
            "of llm-foundry's scripts/eval/local_data"
        ) from None


def _find(source: Path, stem: str) -> Path | None:
    """Return the one file of that name, at any depth; jeopardy_all may be called jeopardy."""
    names = {name + suffix for name in (stem, stem.removesuffix("_all")) for suffix in _SUFFIXES}
    found = sorted(path for path in source.rglob("*.jsonl*") if path.name in names)
    if len(found) > 1:
        raise SuiteError(f"{found[0]} and {found[1]} are both {stem!r}; keep one in {source}")
    return found[0] if found else None


def _records(path: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    """Yield each line's number (from 1) and JSON object."""
    for number, line in enumerate(_read(path).splitlines(), start=1):
        try:
            yield number, json.loads(line)
        except ValueError:
            raise SuiteError(f"{path}:{number}: not JSON; get the file again") from None


def _read(path: Path) -> bytes:
    if path.suffix == ".zst":
        import zstandard

        with (
            path.open("rb") as stream,
            zstandard.ZstdDecompressor().stream_reader(stream) as reader,
        ):
            return reader.read()
    return gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
