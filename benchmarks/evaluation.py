"""Evaluate the embedded suite with our adapter and with lm-eval's stock HFLM: same model, same requests.

Floor: every distinct prefix and every continuation goes through the model once; at 0.4M parameters that is
about 0.8 MFLOP a token, far below what two cores do in the time that either takes. What is left is
the number of forward passes and the Python around them, which is what sharing prefixes saves.
"""

import json
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
import torch
from lm_eval.models.huggingface import HFLM
from transformers import PreTrainedTokenizerFast

from assay.home import package_folder
from assay.pool.tokenizer import load_tokenizer
from assay.suite import Suite
from assay.suite.embedded import prepare_suite
from assay.text.lm import SharedPrefixLM
from assay.text.model import build_model
from assay.text.tasks import load_task
from assay.track.load import load
from assay.track.spec import Recipe

ROUNDS = 3


def requests_of(folder: Path) -> dict[str, list]:
    """Return the suite's requests by type, as lm-eval builds them."""
    suite = load("text", "nano").suite
    assert isinstance(suite, Suite)
    prepare_suite(suite, folder)
    found: dict[str, list] = {"loglikelihood": [], "loglikelihood_rolling": []}
    for task in suite.tasks:
        built, _ = load_task(suite, task, folder)
        built.build_all_requests()
        for instance in built.instances:
            found[instance.request_type].append(instance)
    return found


def main() -> None:
    """Time both in turn, so that a slow machine slows both."""
    tokenizer = load_tokenizer(package_folder("tracks") / "text" / "tokenizer.json")
    eos_id = tokenizer.token_to_id("<|endoftext|>")
    assert eos_id is not None
    recipe = load("text", "nano").recipe
    assert isinstance(recipe, Recipe)
    model = build_model(recipe.model, eos_id, seed=1).eval()
    wrapped = PreTrainedTokenizerFast(tokenizer_object=tokenizer, eos_token="<|endoftext|>")
    ours = SharedPrefixLM(model, tokenizer, eos_id)
    stock: Any = HFLM  # its signature hides behind a registry decorator
    theirs = stock(pretrained=model, tokenizer=wrapped, batch_size=64, max_length=128, device="cpu")
    with tempfile.TemporaryDirectory() as temporary:
        requests = requests_of(Path(temporary) / "suite")
    seconds: dict[str, list[float]] = {"ours": [], "HFLM": []}
    answers: dict[str, np.ndarray] = {}
    for _ in range(ROUNDS):
        for name, lm in (("ours", ours), ("HFLM", theirs)):
            began = time.perf_counter()
            scores = [pair[0] for pair in lm.loglikelihood(requests["loglikelihood"])]
            scores += lm.loglikelihood_rolling(requests["loglikelihood_rolling"])
            seconds[name].append(time.perf_counter() - began)
            answers[name] = np.array(scores)
    medians = {name: float(np.median(values)) for name, values in seconds.items()}
    print(
        json.dumps(
            {
                "threads": torch.get_num_threads(),
                "requests": {kind: len(items) for kind, items in requests.items()},
                "median_seconds": medians,
                "ratio": medians["HFLM"] / medians["ours"],
                "largest_relative_difference": float(
                    np.max(np.abs(answers["ours"] - answers["HFLM"]) / np.abs(answers["HFLM"]))
                ),
            },
            indent=2,
        )
    )


if __name__ == "__main__":
    main()
