import pytest

from assay.torchvision_ops import define_missing_schemas

define_missing_schemas()

CONTEXT_LENGTH = 48


@pytest.fixture
def one_thread():
    """Matrices this small are slower on two threads, and far slower where others want the cores."""
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="session")
def tiny_tokenizer():
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers

    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=320,
        special_tokens=["<|endoftext|>"],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    text = "the cat sat on the mat and the dog lay near the door while rain fell on the old town"
    tokenizer.train_from_iterator([text] * 3, trainer)
    return tokenizer


@pytest.fixture(scope="session")
def make_model():
    """Random weights, drawn wide enough for choices to differ by nats."""
    import torch
    from transformers import LlamaConfig, LlamaForCausalLM, Qwen3Config, Qwen3ForCausalLM

    def make(architecture="llama", attention="sdpa"):
        kind, config = {
            "llama": (LlamaForCausalLM, LlamaConfig),
            "qwen3": (Qwen3ForCausalLM, Qwen3Config),
        }[architecture]
        torch.manual_seed(11)
        return kind(
            config(
                hidden_size=32,
                intermediate_size=64,
                num_hidden_layers=2,
                num_attention_heads=4,
                num_key_value_heads=4,
                head_dim=8,
                vocab_size=320,
                max_position_embeddings=CONTEXT_LENGTH,
                tie_word_embeddings=True,
                initializer_range=0.3,
                bos_token_id=0,
                eos_token_id=0,
                attn_implementation=attention,
            )
        )

    return make


@pytest.fixture(scope="session")
def words():
    """Draw words; the longest texts are far longer than the model's window."""
    import numpy as np

    vocabulary = [
        "the",
        "cat",
        "sat",
        "on",
        "mat",
        "and",
        "dog",
        "lay",
        "near",
        "door",
        "while",
        "rain",
        "fell",
        "old",
        "town",
        "Zürich",
        "42",
    ]
    rng = np.random.default_rng(5)

    def draw(low, high):
        return " ".join(rng.choice(vocabulary, size=rng.integers(low, high)))

    return draw


@pytest.fixture
def make_suite(words, tmp_path):
    """Seal a suite with a task of every form."""
    import numpy as np

    from assay.suite.files import write_suite

    def make(shots=0, items=12, longest=40):
        rng = np.random.default_rng(shots)
        choice = [
            {
                "context": words(1, longest) + ("\n" if i % 3 == 0 else ""),
                "choices": [words(1, 6) for _ in range(4)],
                "gold": int(rng.integers(4)),
            }
            for i in range(items)
        ]
        schema = [
            {
                "contexts": [words(1, longest), words(1, longest)],
                "continuation": words(1, 6),
                "gold": int(rng.integers(2)),
            }
            for _ in range(items)
        ]
        exact = [{"context": words(1, longest), "continuation": words(1, 3)} for _ in range(items)]
        pairs = [
            {"context": "", "choices": [words(3, 8), words(3, 8)], "gold": 0} for _ in range(items)
        ]
        documents = [{"text": words(1, 120)} for _ in range(items)]
        return write_suite(
            "tiny",
            1,
            {
                "choice": (choice, {"group": "a", "form": "choice", "shots": shots}),
                "schema": (schema, {"group": "a", "form": "schema", "shots": shots}),
                "exact": (exact, {"group": "a", "form": "exact", "shots": shots}),
                "pairs": (
                    pairs,
                    {"group": "b", "form": "choice", "delimiter": "", "normalization": "none"},
                ),
                "heldout": (documents, {"group": "heldout", "form": "text"}),
            },
            tmp_path / "suite",
        ), tmp_path / "suite"

    return make
