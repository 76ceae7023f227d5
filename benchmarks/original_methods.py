r"""Methods beside the code that their authors published, on made-up vectors and real or generated texts.

Each function runs as it is, in a clone; of files that do not import or ask for a GPU, the one
function is taken out of the source.

semdedup    which of 2,000 vectors in 20 clusters fall at each epsilon
metaclip    which concepts every caption names
alignment   negCLIPLoss and NormSim of 2,000 pairs
density     quotas of 40 clusters; the authors round a quadratic programme's numbers without mending their sum
dsir        log importance weights: hashes differ, so these are correlated and not equal

It takes `pip install submitit pyahocorasick qpsolvers osqp joblib nltk ./clones/dsir`.

    for r in facebookresearch/SemDeDup facebookresearch/MetaCLIP amro-kamal/effective_pruning \
        ypwang61/negCLIPLoss_NormSim p-lambda/dsir
    do git clone https://github.com/$r clones/${r#*/}; done
    python benchmarks/original_methods.py clones [--documents pool/]
"""

import argparse
import importlib
import json
import math
import sys
import tempfile
from contextlib import redirect_stdout
from itertools import pairwise
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import torch
from redpajama_signals import read

from assay.foundry import documents
from assay.foundry.scenes import reference_scenes, scenes
from assay.signals.clip.alignment import neg_clip_loss, norm_sim
from assay.signals.clip.concepts import ConceptMatches
from assay.signals.clip.density import quotas
from assay.signals.kmeans import spherical_kmeans
from assay.signals.semdedup import closest_before
from assay.signals.text.ngrams import ImportanceWeights, bucket_totals

EPSILONS = (0.02, 0.05, 0.1, 0.2, 0.3)
RNG = np.random.default_rng(0)


def semdedup(clones: Path) -> dict[str, Any]:
    """Compare what falls, cluster by cluster."""
    sys.path.insert(0, str(clones / "SemDeDup"))
    job = importlib.import_module("semdedup").SemDeDupJob
    centers = RNG.normal(size=(300, 16))
    vectors = centers[RNG.integers(0, 300, 2000)] + 0.25 * RNG.normal(size=(2000, 16))
    vectors = (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)
    centroids = spherical_kmeans(vectors, 20, seed=0)
    labels = (vectors @ centroids.T).argmax(1)
    cosines = (vectors @ centroids.T).max(1)
    ours = closest_before(vectors, labels, cosines)
    theirs = np.full(2000, -1.0, dtype=np.float32)
    instance = SimpleNamespace(_contains_duplicates=lambda _: False)
    for label in range(20):
        rows = np.flatnonzero(labels == label)
        hard_first = rows[np.argsort(cosines[rows], kind="stable")]
        table = hard_first[:, None].astype(str)
        theirs[hard_first] = job.semdedup(instance, table, torch.tensor(vectors[hard_first]), "cpu")
    fall = {str(e): [int((x > 1 - e).sum()) for x in (ours, theirs)] for e in EPSILONS}
    differ = sum(int(((ours > 1 - e) != (theirs > 1 - e)).sum()) for e in EPSILONS)
    return {"fall_ours_theirs": fall, "differ": differ}


def metaclip(clones: Path) -> dict[str, Any]:
    """Compare which concepts captions name."""
    sys.path.insert(0, str(clones / "MetaCLIP"))
    theirs = importlib.import_module("metaclip.curation.substr_matching")
    captions = [pair.caption for pair in scenes(0, 3000)]
    captions += ["Red, star; a\tcircle.", "circle", "  two  circles ", "a red star!", "Red star"]
    words = (pair.caption.split() for pair in reference_scenes(0, 300))
    grams = {gram for w in words for gram in (*w, *map(" ".join, pairwise(w)))}
    concepts = sorted(gram for gram in grams if gram[-1].isalnum() and gram[0].isalnum())
    automaton = theirs.initialize_automaton(theirs.get_spaced_metadata(concepts))
    ours = ConceptMatches.of(captions, concepts).matrix
    differ = 0
    for row, caption in enumerate(captions):
        found = {number for _, (number, _) in automaton.iter(theirs.spacing(caption))}
        mine = set(ours.indices[ours.indptr[row] : ours.indptr[row + 1]].tolist())
        differ += found != mine
    return {
        "captions": len(captions),
        "concepts": len(concepts),
        "matches": ours.nnz,
        "differ": differ,
    }


def function_of(path: Path, name: str) -> str:
    """Return the source of one function of a file."""
    return f"def {name}(" + path.read_text().split(f"\ndef {name}(")[1].split("\ndef ")[0]


def alignment(clones: Path) -> dict[str, Any]:
    """Compare negCLIPLoss over one batch, and NormSim, with the device of the functions replaced."""
    scope: dict[str, Any] = {"torch": torch, "math": math}
    for name in ("cal_new_clip_score", "cal_similarity_scores_norm"):
        path = clones / "negCLIPLoss_NormSim" / "baselines" / "vas2.py"
        source = function_of(path, name).replace("f'cuda:{device_index}'", "'cpu'")
        exec(source.split("\n@torch")[0], scope)
    images, texts = RNG.normal(size=(2, 2000, 32)).astype(np.float32)
    texts += images
    images, texts = (v / np.linalg.norm(v, axis=1, keepdims=True) for v in (images, texts))
    one, other, third = scope["cal_new_clip_score"](
        *map(torch.from_numpy, (images, texts)), 0, None, 0, 0.07
    )
    ours = neg_clip_loss(images, texts, temperature=0.07, batch_size=2000, partitions=1, seed=0)
    farthest = {"neg_clip_loss": float(np.abs(ours - (one - other - third).numpy()).max())}
    for order, norm in ((2, 2), (np.inf, 100)):
        theirs = scope["cal_similarity_scores_norm"](
            torch.from_numpy(images), torch.from_numpy(texts[:500]), 0, norm
        )
        gap = np.abs(norm_sim(images, texts[:500], order=order) - theirs.numpy()).max()
        farthest[f"norm_sim_{order}"] = float(gap)
    return {"farthest": {name: round(value, 6) for name, value in farthest.items()}}


def density(clones: Path) -> dict[str, Any]:
    """Compare quotas over a range of temperatures, balances and budgets."""
    import qpsolvers  # pyright: ignore[reportMissingImports]

    scope: dict[str, Any] = {"np": np, "solve_qp": qpsolvers.solve_qp}
    exec(function_of(clones / "effective_pruning" / "prune.py", "pruning_qp"), scope)
    farthest, sums = 0, []
    for _ in range(60):
        sizes, complexities = RNG.integers(1, 400, 40), RNG.uniform(0.05, 0.6, 40)
        amount, balance = int(sizes.sum() * RNG.uniform(0.1, 0.9)), RNG.uniform(0.1, 0.9)
        temperature = RNG.uniform(0.05, 0.5)
        ours = quotas(complexities, sizes, amount, temperature=temperature, balance=balance)
        wish = np.exp((complexities - complexities.max()) / temperature)
        theirs = scope["pruning_qp"](wish / wish.sum(), sizes, amount, 40, print, balance)
        farthest = max(farthest, int(np.abs(ours - theirs).max()))
        sums.append(int(theirs.sum()) - amount)
    return {"cases": 60, "farthest": farthest, "their_sums_miss_by": [min(sums), max(sums)]}


def dsir(folder: Path | None) -> dict[str, Any]:
    """Compare log importance weights, of the text and of whole rankings."""
    from scipy.stats import rankdata

    theirs = importlib.import_module("data_selection").HashedNgramDSIR
    raw = read(folder, 1500) if folder else [page.text for page in documents(0, 1500)]
    target = raw[::5]
    with tempfile.TemporaryDirectory() as scratch:
        paths = {name: Path(scratch) / f"{name}.jsonl" for name in ("raw", "target")}
        for name, texts in (("raw", raw), ("target", target)):
            paths[name].write_text("".join(json.dumps({"text": text}) + "\n" for text in texts))
        model = theirs([str(paths["raw"])], [str(paths["target"])], scratch, num_proc=1)
        model.fit_importance_estimator(num_tokens_to_fit="all")
        weights = [float(model.importance_estimator(model.featurizer(text))) for text in raw]
    ours = ImportanceWeights.fit(bucket_totals([target]), bucket_totals([raw])).score(raw)
    return {
        "documents": len(raw),
        "pearson": round(float(np.corrcoef(ours, weights)[0, 1]), 4),
        "spearman": round(float(np.corrcoef(rankdata(ours), rankdata(weights))[0, 1]), 4),
    }


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("clones", type=Path, help="folder of the clones")
    parser.add_argument("--documents", type=Path, help="folder of *.jsonl.zst; else generated ones")
    args = parser.parse_args()
    with redirect_stdout(sys.stderr):
        found = {
            "semdedup": semdedup(args.clones),
            "metaclip": metaclip(args.clones),
            "alignment": alignment(args.clones),
            "density": density(args.clones),
            "dsir": dsir(args.documents),
        }
    print(json.dumps(found, indent=2))


if __name__ == "__main__":
    main()
