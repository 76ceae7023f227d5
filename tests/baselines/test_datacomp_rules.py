"""DataComp's seven, beside its own rules written down a second time, on one metadata table."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from assay.errors import SignalError
from assay.foundry.scenes import scenes
from assay.pool import ImageTextPool, build_image_text_pool
from assay.pool.uid import find
from assay.signals.clip.languages import ENGLISH_ODDS
from assay.signals.text.language import identify
from assay.strategy import load_strategy, parse_settings, run_strategy
from assay.track.spec import Budget
from pairs import picture, uid_of, write_metadata, write_tar

N, WIDTH, CLUSTERS = 400, 16, 40
NOUNS = ["star", "stars", "circle", "circles", "heart", "box", "moon", "hoop", "diamond"]
ODD = [
    "a star.",
    "A STAR",
    "two words",
    "tab\tand three",
    "five5",
    "sixsix",
    "one",
    "ein roter Kreis auf der linken Seite",
    "12 34 56",
    "ünïcode lettérs star",
]


def table() -> dict[str, list[Any]]:
    """Return metadata as DataComp has it, with what its rules stumble over."""
    rng = np.random.default_rng(11)
    captions = [*ODD, *(pair.caption for pair in scenes(0, N - len(ODD)))]
    sides = rng.choice([100, 199, 200, 201, 300, 599, 600, 601, 900], (N, 2))
    scores = rng.normal(0.22, 0.08, (N, 2)).round(2)  # ties
    scores[:3, 0] = 0.28
    return {
        "uid": [uid_of(number) for number in range(N)],
        "text": captions,
        "original_width": sides[:, 0].tolist(),
        "original_height": sides[:, 1].tolist(),
        "clip_b32_similarity_score": scores[:, 0].tolist(),
        "clip_l14_similarity_score": scores[:, 1].tolist(),
    }


@pytest.fixture(scope="module")
def data() -> dict[str, Any]:
    rng = np.random.default_rng(12)
    features = rng.normal(size=(N, WIDTH)).astype(np.float16)
    centroids = rng.normal(size=(CLUSTERS, WIDTH)).astype(np.float32)
    target = rng.normal(size=(25, WIDTH)).astype(np.float32)
    return {**table(), "l14_img": features, "centroids": centroids, "target": target}


@pytest.fixture(scope="module")
def pool(data, tmp_path_factory) -> ImageTextPool:
    folder = tmp_path_factory.mktemp("datacomp")
    samples = [
        {
            "png": picture(number),
            "txt": data["text"][number].encode(),
            "json": json.dumps({"uid": uid_of(number)}).encode(),
        }
        for number in range(N)
    ]
    write_tar(folder / "0.tar", samples)
    columns = {key: data[key] for key in table()}
    file = write_metadata(folder / "metadata" / "0.parquet", range(N), **columns)
    np.savez(file.with_suffix(".npz"), l14_img=data["l14_img"])
    np.save(folder / "centroids.npy", data["centroids"])
    np.save(folder / "target.npy", data["target"])
    (folder / "nouns.txt").write_text("\n".join(NOUNS))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("ASSAY_HOME", str(folder / "home"))
        yield build_image_text_pool(
            [folder / "0.tar"], folder / "pool", metadata=[file.parent], name="datacomp"
        )


@pytest.fixture(scope="module")
def english(data) -> np.ndarray:
    """Substituted in the same way on both sides: py3langid for lid.176."""
    return identify(data["text"], ENGLISH_ODDS)[0] == "en"


def chosen(pool: ImageTextPool, name: str, *words: str) -> set[int]:
    """Return the numbers of the samples that a baseline keeps."""
    strategy = load_strategy(name, "clip")
    settings = parse_settings(strategy, words)
    outcome = run_strategy(
        strategy, pool, budget=Budget(1000, "samples", 10), seed=0, settings=settings
    )
    rows = find(pool.uids, outcome.submission.stages[0].uids)
    every = np.array(
        [(int(u[:16], 16), int(u[16:], 16)) for u in map(uid_of, range(N))], pool.uids.dtype
    )
    numbers = np.argsort(find(pool.uids, every))
    return set(numbers[rows].tolist())


def where(mask: np.ndarray) -> set[int]:
    return set(np.flatnonzero(mask).tolist())


def basic(data, english) -> np.ndarray:
    """fastText top-1 == en; len(text.split()) > 2; len(text) > 5; min(w, h) >= 200; max / min <= 3."""
    short = np.minimum(data["original_width"], data["original_height"])
    long = np.maximum(data["original_width"], data["original_height"])
    words = np.array([len(text.split()) > 2 and len(text) > 5 for text in data["text"]])
    return english & words & (short >= 200) & (long / short <= 3.0)


def image_based(data, english) -> np.ndarray:
    """fastText en; fasttext.tokenize words > 1; chars > 5; cluster (dot product) hit by a target image."""
    fasttext = pytest.importorskip("fasttext")
    long_enough = np.array(
        [len(fasttext.tokenize(text)) > 1 and len(text) > 5 for text in data["text"]]
    )
    nearest = (data["l14_img"].astype(np.float32) @ data["centroids"].T).argmax(1)
    hit = set((data["target"] @ data["centroids"].T).argmax(1).tolist())
    return english & long_enough & np.array([label in hit for label in nearest.tolist()])


def threshold_of(scores: list[float], fraction: float) -> float:
    """t = -sort(-s)[int(n * f)], which keeps one pair more than the fraction, and ties."""
    return float(-np.sort(-np.array(scores))[int(len(scores) * fraction)])


def test_no_filter(pool):
    assert chosen(pool, "no_filter") == set(range(N))


def test_basic_filter(pool, data, english):
    expected = where(basic(data, english))
    assert 20 < len(expected) < N - 20
    assert chosen(pool, "basic_filter") == expected


@pytest.mark.parametrize("arch", ["b32", "l14"])
def test_clip_score_by_threshold(pool, data, arch):
    column = f"clip_{arch}_similarity_score"
    expected = where(np.array(data[column]) >= 0.28)
    assert 20 < len(expected) < N - 20
    assert chosen(pool, "clip_score", f"column={column}", "threshold=0.28") == expected


@pytest.mark.parametrize("fraction", [0.1, 0.3, 0.5])
def test_clip_score_by_fraction_differs_by_one_and_ties_alone(pool, data, fraction):
    scores = np.array(data["clip_l14_similarity_score"])
    threshold = threshold_of(data["clip_l14_similarity_score"], fraction)
    theirs = where(scores >= threshold)
    ours = chosen(pool, "clip_score", f"fraction={fraction}")
    assert len(ours) == round(fraction * N) < len(theirs)
    assert ours < theirs
    assert {scores[number] for number in theirs - ours} == {threshold}


def test_laion2b(pool, data):
    """gcld3 (0 to 1000 bytes) says en, and the score of B/32 is at least 0.28."""
    gcld3 = pytest.importorskip("gcld3")
    detector = gcld3.NNetLanguageIdentifier(0, 1000)
    english = np.array([detector.FindLanguage(text=text).language == "en" for text in data["text"]])
    expected = where(english & (np.array(data["clip_b32_similarity_score"]) >= 0.28))
    assert 20 < len(expected) < N - 20
    assert chosen(pool, "laion2b") == expected


def test_text_based(pool, data, english):
    """Any white-space token in the list, as WordNet looks it up: lower case, its punctuation kept."""
    named = [any(word.lower() in NOUNS for word in text.split()) for text in data["text"]]
    assert not named[ODD.index("a star.")]
    assert named[ODD.index("A STAR")]
    expected = where(english & np.array(named))
    assert 20 < len(expected) < N - 20
    assert chosen(pool, "text_based", f"concepts={pool.path.parent / 'nouns.txt'}") == expected


def test_a_fasttext_model_names_the_language_where_one_is_given(pool, data, tmp_path):
    """The substitution goes: fastText's own answers, of a model that stands in for lid.176.bin."""
    fasttext = pytest.importorskip("fasttext")
    lines = [f"__label__{('en', 'xx')[len(text) % 2]} {text}" for text in data["text"]]
    (tmp_path / "lines.txt").write_text("\n".join(lines))
    # With fewer threads fastText leaves part of its first vectors to what was in memory.
    settings = {"dim": 16, "epoch": 50, "thread": 11, "verbose": 0}
    model = fasttext.train_supervised(str(tmp_path / "lines.txt"), **settings)
    model.save_model(str(tmp_path / "lid.bin"))
    labels, _ = model.predict([text.replace("\n", " ") for text in data["text"]])
    english = np.array([names[0] == "__label__en" for names in labels])
    expected = where(basic(data, english))
    assert 20 < len(expected) < N - 20
    word = f"language_model={tmp_path / 'lid.bin'}"
    assert chosen(pool, "basic_filter", word) == expected
    both = where(image_based(data, english))
    assert chosen(pool, "image_based", *files(pool), word) == both
    everything = [*files(pool), word, "fraction=1"]
    assert chosen(pool, "image_based_and_clip_score", *everything) == both


def test_a_language_model_that_is_none_is_one_line(pool, tmp_path):
    with pytest.raises(
        SignalError, match=r"fasttext_language asks .*'no\.bin'.* get lid\.176\.bin"
    ):
        chosen(pool, "basic_filter", "language_model=no.bin")
    (tmp_path / "bad.bin").write_bytes(b"not a model")
    with pytest.raises(SignalError, match=r"bad\.bin is no fastText model"):
        chosen(
            pool,
            "text_based",
            f"concepts={pool.path.parent / 'nouns.txt'}",
            f"language_model={tmp_path / 'bad.bin'}",
        )


def files(pool: ImageTextPool) -> list[str]:
    folder = Path(pool.path).parent
    return [
        "embedding=l14_img",
        f"centroids={folder / 'centroids.npy'}",
        f"target={folder / 'target.npy'}",
    ]


def test_image_based(pool, data, english):
    expected = where(image_based(data, english))
    assert 20 < len(expected) < N - 20
    assert chosen(pool, "image_based", *files(pool)) == expected


def test_image_based_and_clip_score(pool, data, english):
    scores = np.array(data["clip_l14_similarity_score"])
    both = image_based(data, english) & (scores >= 0.25)
    assert 5 < both.sum() < N - 20
    words = [*files(pool), "threshold=0.25"]
    assert chosen(pool, "image_based_and_clip_score", *words) == where(both)


def test_unicode_white_space_is_the_one_known_difference_in_counting_words():
    fasttext = pytest.importorskip("fasttext")
    caption = "red\u00a0star"
    assert (len(fasttext.tokenize(caption)), len(caption.split())) == (1, 2)
