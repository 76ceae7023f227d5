"""The language model, beside kenlm's scores of the same model and a direct reading of the formulas."""

from collections import Counter, defaultdict
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from assay.signals.text.kneser_ney import FALLBACK_DISCOUNTS, KneserNey

VOCAB = 45


def made_up(seed: int, documents: int = 300, most: int = 30) -> list[np.ndarray]:
    rng = np.random.default_rng(seed)
    lengths = rng.integers(0, most, documents)
    return [np.minimum(rng.zipf(1.5, length), VOCAB - 5) - 1 for length in lengths]


def write_arpa(model: KneserNey, path: Path) -> None:
    """Write the model as others read it: tokens are t0, t1, ..."""
    symbols = model.vocab_size + 2
    names = [*(f"t{i}" for i in range(model.vocab_size)), "<s>", "</s>"]
    lines = ["\\data\\"]
    lines += [f"ngram {n}={len(o.keys) + (n == 1)}" for n, o in enumerate(model.orders, 1)]
    words: list[str] = [""]
    for n, order in enumerate(model.orders, 1):
        lines += ["", f"\\{n}-grams:"]
        words = [
            f"{words[key // symbols]} {names[key % symbols]}".strip() for key in order.keys.tolist()
        ]
        if n == 1:
            lines.append(f"{model.log_unknown}\t<unk>\t0")
        for word, prob, backoff in zip(words, order.log_prob, order.log_backoff, strict=True):
            last = n == len(model.orders)
            lines.append(f"{prob:.9f}\t{word}" + ("" if last else f"\t{backoff:.9f}"))
    path.write_text("\n".join([*lines, "", "\\end\\", ""]))


@pytest.mark.parametrize("order", [2, 3, 5])
def test_kenlm_gives_the_same_scores(tmp_path: Path, order: int) -> None:
    kenlm = pytest.importorskip("kenlm", reason="kenlm is not installed; it has to be compiled")

    model = KneserNey.train(made_up(0), vocab_size=VOCAB, order=order)
    write_arpa(model, tmp_path / "model.arpa")
    theirs = kenlm.Model(str(tmp_path / "model.arpa"))
    asked = [*made_up(1, 100), np.array([VOCAB - 1, 0, VOCAB - 2]), np.array([], dtype=int)]
    ours, documents = model.log_probs(asked)
    assert len(ours) == sum(len(one) + 1 for one in asked)
    for number, one in enumerate(asked):
        text = " ".join(f"t{token}" for token in one)
        scores = [score for score, _, _ in theirs.full_scores(text)]
        assert np.abs(ours[documents == number] - scores).max() < 1e-4
        assert model.perplexities([one])[0] == pytest.approx(theirs.perplexity(text), rel=1e-4)


class Slow:
    """Chen and Goodman's equations word for word, over dictionaries."""

    def __init__(self, sequences: list[np.ndarray], order: int):
        marked = [("<s>", *one.tolist(), "</s>") for one in sequences]
        self.order = order
        grams = {
            n: Counter(s[i : i + n] for s in marked for i in range(len(s) - n + 1))
            for n in range(1, order + 1)
        }
        self.counts: dict[int, dict[tuple, int]] = {order: dict(grams[order])}
        for n in range(1, order):
            before: dict[tuple, set] = defaultdict(set)
            for gram in grams[n + 1]:
                before[gram[1:]].add(gram[0])
            self.counts[n] = {
                gram: grams[n][gram] if gram[0] == "<s>" and n > 1 else len(before[gram])
                for gram in grams[n]
                if gram != ("<s>",)
            }
        self.discounts = {n: self.discount(self.counts[n]) for n in self.counts}
        self.words = len(self.counts[1]) + 1

    def discount(self, counts: dict[tuple, int]) -> tuple[float, ...]:
        n = [sum(c == k for c in counts.values()) for k in range(5)]
        if not all(n[1:4]):
            return FALLBACK_DISCOUNTS
        y = n[1] / (n[1] + 2 * n[2])
        found = tuple(k - (k + 1) * y * n[k + 1] / n[k] for k in (1, 2, 3))
        return found if all(0 <= d <= k for k, d in enumerate(found, 1)) else FALLBACK_DISCOUNTS

    def prob(self, word: object, context: tuple) -> float:
        n = len(context) + 1
        lower = self.prob(word, context[1:]) if context else 1 / self.words
        followers = {g[-1]: c for g, c in self.counts[n].items() if g[:-1] == context}
        total = sum(followers.values())
        if not total:
            return lower
        off = {w: self.discounts[n][min(c, 3) - 1] for w, c in followers.items()}
        own = followers[word] - off[word] if word in followers else 0.0
        return (own + sum(off.values()) * lower) / total


@pytest.mark.parametrize(("order", "size"), [(2, 200), (3, 60), (4, 8)])
def test_a_direct_reading_of_the_formulas_gives_the_same(order: int, size: int) -> None:
    sequences = made_up(3, size, 12)
    model, slow = KneserNey.train(sequences, vocab_size=VOCAB, order=order), Slow(sequences, order)
    for one in made_up(4, 12, 8):
        found, _ = model.log_probs([one])
        marked = ("<s>", *one.tolist(), "</s>")
        expected = [
            np.log10(slow.prob(marked[i], marked[max(0, i - order + 1) : i]))
            for i in range(1, len(marked))
        ]
        assert found == pytest.approx(np.array(expected), abs=1e-9)


@settings(max_examples=25)
@given(
    st.lists(st.lists(st.integers(0, 6), max_size=9), min_size=1, max_size=12),
    st.lists(st.integers(0, 7), max_size=5),
    st.integers(2, 5),
)
def test_probabilities_after_any_context_add_up_to_one(
    sequences: list[list[int]], context: list[int], order: int
) -> None:
    arrays = [np.array(one, dtype=np.int64) for one in sequences]
    model = KneserNey.train(arrays, vocab_size=9, order=order)
    known = sorted({token for one in sequences for token in one})
    nexts = [*known, 8]  # 8 stands for whatever was never seen
    asked = [np.array([*context, token], dtype=np.int64) for token in nexts]
    scores, documents = model.log_probs(asked)
    total = sum(10 ** scores[documents == i][len(context)] for i in range(len(nexts)))
    total += 10 ** model.log_probs([np.array(context, dtype=np.int64)])[0][-1]
    assert total == pytest.approx(1.0, abs=1e-9)


def test_documents_are_scored_alike_alone_and_together() -> None:
    model = KneserNey.train(made_up(5), vocab_size=VOCAB, order=5)
    asked = made_up(6, 50)
    alone = [float(model.perplexities([one])[0]) for one in asked]
    assert model.perplexities(asked) == pytest.approx(np.array(alone), rel=1e-12)
