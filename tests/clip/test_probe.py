import io

import numpy as np
import pytest
import torch
from PIL import Image

from assay.clip.probe import linear_probe
from assay.errors import SuiteError
from assay.suite.clip.seal import task_folders, write_clip_suite
from clip_folders import labelled, write_layout


class Brightness(torch.nn.Module):
    """An image tower that sees the mean of each colour."""

    def encode_image(self, image):
        return torch.cat([image.mean(dim=(2, 3)), torch.ones(len(image), 1)], dim=1)


def transform(image):
    return torch.from_numpy(np.array(image)).permute(2, 0, 1) / 255


def coloured(golds, seed=0):
    """Images of noise around red, green or blue."""
    rng = np.random.default_rng(seed)
    samples = []
    for number, gold in enumerate(golds):
        pixels = rng.integers(0, 100, (8, 8, 3), dtype=np.uint8)
        pixels[:, :, gold] += 100
        stream = io.BytesIO()
        Image.fromarray(pixels).save(stream, "PNG")
        members = {"png": stream.getvalue(), "cls": str(gold).encode()}
        samples.append((f"s{number:04d}", members))
    return samples


@pytest.fixture
def probe(tmp_path):
    def run(samples, train=None):
        classes = ["red", "green", "blue"]
        source = write_layout(tmp_path / "colours", [samples], classes=classes)
        if train:
            write_layout(source, [train], split="train")
        suite = write_clip_suite("s", 1, task_folders([str(source)]), tmp_path / "suite")
        model = Brightness().eval()
        folder = tmp_path / "suite"
        return linear_probe(model, transform, suite, folder, show_progress=False)["colours"]

    return run


def test_half_of_the_items_teach_where_there_is_no_training_split(probe):
    score = probe(coloured([0, 1, 2] * 21))
    assert (score.num_train, score.num_test) == (31, 32)
    assert score.lp_acc1 == score.lp_mean_per_class_recall == 1.0


def test_features_that_say_nothing_teach_nothing(probe):
    score = probe(labelled([0, 1, 2] * 40))
    assert score.lp_acc1 < 0.6


def test_a_training_split_teaches_where_there_is_one(probe):
    shifted = coloured([1, 2, 0] * 20, seed=1)
    wrong = [
        (key, {**members, "cls": str((int(members["cls"]) + 1) % 3).encode()})
        for key, members in shifted
    ]
    score = probe(coloured([0, 1, 2] * 10), train=wrong)
    assert (score.num_train, score.num_test) == (60, 30)
    assert score.lp_acc1 == 0.0


def test_one_class_teaches_nothing(probe):
    with pytest.raises(SuiteError, match=r"images of two classes"):
        probe(coloured([0] * 8))
