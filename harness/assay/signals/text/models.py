"""Signals that take a model: languages, classifiers and language models of a reference, embeddings."""

from itertools import islice

import numpy as np
from numpy.typing import NDArray

from assay.console import progress
from assay.order import drawn_order
from assay.pool import Pool
from assay.signals.columns import Columns, Examples, PerExample, PoolInputs, WholePool
from assay.signals.kmeans import nearest, spherical_kmeans
from assay.signals.semdedup import closest_before
from assay.signals.text.batches import batched, documents_of
from assay.signals.text.embeddings import DIMENSIONS, SAMPLE_DOCUMENTS, Embedding
from assay.signals.text.fasttext import Classifier
from assay.signals.text.kneser_ney import KneserNey
from assay.signals.text.language import check_installed, identify
from assay.signals.text.ngrams import ImportanceWeights, bucket_totals
from assay.signals.text.reference import DEFAULT, Reference, open_reference, pin_parameters

MAX_EXAMPLES = 200_000
"""Documents of either side that a classifier is shown, at most: as many as DCLM's."""

MAX_TOKENS = 10_000_000
"""Of the reference that a language model is counted on, some 2 GB of memory."""

DOCUMENTS_A_CLUSTER = 1_000
"""SemDeDup was published with clusters of about this size on average."""

_SEQUENCES = 256


def _language(examples: Examples) -> Columns:
    codes, probabilities = identify(examples.table.column("text").to_pylist())
    return {"language": codes, "language_score": probabilities}


LANGUAGE = PerExample(
    name="language",
    version=1,
    kind="text",
    reads=("text",),
    columns={
        "language": "ISO 639 code, `und` where there is no letter",
        "language_score": "probability of that language",
    },
    compute=_language,
    check=check_installed,
)


def _fasttext(inputs: PoolInputs) -> Columns:
    pool = _documents(inputs)
    seed = int(inputs.parameters["seed"])
    reference = _reference(inputs)
    size = min(reference.n, MAX_EXAMPLES)
    rows = drawn_order(pool.n, "fasttext negatives", seed)[:size]
    model = Classifier.train(
        islice(reference.texts(), size), pool.texts(rows), folder=inputs.folder, seed=seed
    )
    found = np.zeros(pool.n, dtype=np.float32)
    for rows, texts in documents_of(inputs, "asking the classifier"):
        found[rows] = model.score(texts)
    return {"fasttext_score": found}


FASTTEXT = WholePool(
    name="fasttext",
    version=1,
    kind="text",
    columns={"fasttext_score": "probability of being of the reference rather than of the pool"},
    compute=_fasttext,
    parameters={"reference": DEFAULT, "seed": 0},
    pin=pin_parameters,
    trains=True,
)


def _perplexity(inputs: PoolInputs) -> Columns:
    pool = _documents(inputs)
    tokenizer = pool.tokenizer()
    sequences: list[NDArray[np.int64]] = []
    num_tokens = 0
    for batch in batched(_reference(inputs).texts()):
        encoded = tokenizer.encode_batch(batch, add_special_tokens=False)
        sequences += [np.array(encoding.ids, dtype=np.int64) for encoding in encoded]
        num_tokens += sum(map(len, encoded))
        if num_tokens > MAX_TOKENS:
            break
    model = KneserNey.train(
        sequences, vocab_size=pool.vocab_size, order=int(inputs.parameters["order"])
    )
    found = np.zeros(pool.n, dtype=np.float32)
    stored = pool.rows_in_storage[pool.rows_in_storage >= 0]
    with progress("scoring documents", pool.n, "examples") as bar:
        for start in range(0, pool.n, _SEQUENCES):
            rows = stored[start : start + _SEQUENCES]
            found[rows] = model.perplexities([pool.tokens(int(row)) for row in rows])
            bar.update(len(rows))
    return {"perplexity": found}


PERPLEXITY = WholePool(
    name="perplexity",
    version=1,
    kind="text",
    columns={
        "perplexity": "by token, under a Kneser-Ney n-gram model of the reference; at least 1"
    },
    compute=_perplexity,
    parameters={"reference": DEFAULT, "order": 5},
    pin=pin_parameters,
    trains=True,
)


def _importance(inputs: PoolInputs) -> Columns:
    target = bucket_totals(batched(_reference(inputs).texts()))
    read = (texts for _, texts in documents_of(inputs, "counting n-grams"))
    weights = ImportanceWeights.fit(target, bucket_totals(read))
    found = np.zeros(inputs.pool.n, dtype=np.float32)
    for rows, texts in documents_of(inputs, "weighing documents"):
        found[rows] = weights.mean_score(texts)
    return {"importance": found}


IMPORTANCE = WholePool(
    name="importance",
    version=1,
    kind="text",
    columns={"importance": "mean over n-grams of DSIR's log ratio of reference to pool"},
    compute=_importance,
    parameters={"reference": DEFAULT},
    pin=pin_parameters,
)


def _embedding(inputs: PoolInputs) -> Columns:
    pool = _documents(inputs)
    sample = drawn_order(pool.n, "embedding sample")[:SAMPLE_DOCUMENTS]
    model = Embedding.fit(list(batched(pool.texts(np.sort(sample)))))
    found = np.zeros((pool.n, model.directions.shape[1]), dtype=np.float16)
    for rows, texts in documents_of(inputs, "embedding documents"):
        found[rows] = model.transform(texts)
    return {"embedding": found}


EMBEDDING = WholePool(
    name="embedding",
    version=1,
    kind="text",
    columns={"embedding": f"TF-IDF brought down to {DIMENSIONS} dimensions, length 1"},
    compute=_embedding,
    trains=True,
)


def _clusters(inputs: PoolInputs) -> Columns:
    vectors = inputs.signal("embedding")
    wanted = int(inputs.parameters["num_clusters"]) or round(len(vectors) / DOCUMENTS_A_CLUSTER)
    centroids = spherical_kmeans(vectors, max(1, wanted), seed=0)
    labels, cosines = nearest(vectors, centroids)
    return {"cluster": labels, "centroid_cosine": cosines}


CLUSTERS = WholePool(
    name="clusters",
    version=1,
    kind="text",
    columns={
        "cluster": "k-means cluster of the embedding",
        "centroid_cosine": "cosine with the cluster's centroid",
    },
    compute=_clusters,
    parameters={"num_clusters": 0},
    needs=("embedding",),
    trains=True,
)


def _semdedup(inputs: PoolInputs) -> Columns:
    found = closest_before(
        inputs.signal("embedding"), inputs.signal("cluster"), inputs.signal("centroid_cosine")
    )
    return {"semdedup_similarity": found}


SEMANTIC_DUPLICATES = WholePool(
    name="semantic_duplicates",
    version=1,
    kind="text",
    columns={"semdedup_similarity": "largest cosine with a document that SemDeDup keeps before it"},
    compute=_semdedup,
    needs=("embedding", "cluster", "centroid_cosine"),
)


def _documents(inputs: PoolInputs) -> Pool:
    assert isinstance(inputs.pool, Pool), "a signal of kind text"
    return inputs.pool


def _reference(inputs: PoolInputs) -> Reference:
    return open_reference(inputs.pool, str(inputs.parameters["reference"]))
