"""The feed: the same tensors whoever reads them, and nothing lost to broken images."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from assay.clip.batches import PairPlan
from assay.clip.data import PairReader, feed, undecodable_rows
from assay.clip.tokenizer import Tokenize
from assay.errors import TrackError, TrainingError
from tiny_clip import tiny_clip_recipe


def reader(pairs, tmp_path, **changes) -> PairReader:
    pool, folder = pairs
    recipe = tiny_clip_recipe(tokenizer=(folder / "tokenizer.json").read_bytes(), **changes)
    tokenize = Tokenize(recipe.tokenizer, recipe.model.text.context_length, folder)
    return PairReader(pool, np.arange(pool.n), recipe, tokenize, tmp_path)


def batches(pairs, tmp_path, everything, *, workers=0, first_step=0, spans=None, **changes):
    plan = PairPlan(everything, seed=1, steps=4, batch_size=8)
    spans = spans or [range(0, 4), range(4, 8)]
    stream = feed(
        reader(pairs, tmp_path, **changes), plan, spans, first_step=first_step, workers=workers
    )
    return list(stream)


def crop():
    shift = tiny_clip_recipe().preprocess
    return replace(shift, augmentation="crop", crop_scale=(0.5, 1.0), crop_ratio=(0.75, 1.33))


@pytest.mark.parametrize("preprocess", [tiny_clip_recipe().preprocess, crop()])
def test_workers_change_nothing(pairs, tmp_path, everything, preprocess):
    here = batches(pairs, tmp_path, everything, preprocess=preprocess)
    there = batches(pairs, tmp_path, everything, preprocess=preprocess, workers=2)
    assert len(here) == len(there) == 8
    for one, other in zip(here, there, strict=True):
        assert torch.equal(one.images, other.images)
        assert torch.equal(one.tokens, other.tokens)


def test_the_cut_into_micro_batches_and_the_first_step_change_nothing(pairs, tmp_path, everything):
    whole = batches(pairs, tmp_path, everything, spans=[range(0, 8)])
    parts = batches(pairs, tmp_path, everything)
    for number, batch in enumerate(whole):
        halves = parts[2 * number : 2 * number + 2]
        assert torch.equal(batch.images, torch.cat([half.images for half in halves]))
        assert torch.equal(batch.tokens, torch.cat([half.tokens for half in halves]))
    late = batches(pairs, tmp_path, everything, first_step=3)
    assert torch.equal(late[0].images, parts[6].images)


def test_captions_are_marked_cut_and_padded(pairs, tmp_path):
    batch = reader(pairs, tmp_path).read(np.arange(40), np.zeros(40, dtype=np.uint64))
    assert batch.tokens.shape == (40, 16)
    ends = batch.tokens.argmax(dim=1)
    end = batch.tokens.max()
    assert (batch.tokens[:, 0] == 1).all()
    for row, place in zip(batch.tokens, ends, strict=True):
        assert row[place] == end
        assert (row[place + 1 :] == 0).all()
    assert batch.tokens.unique(dim=0).shape[0] > 10


class Broken:
    """A pool some of whose images end too early."""

    def __init__(self, pool, broken):
        self._pool, self._broken = pool, set(broken)
        self.name, self.root, self.n = pool.name, pool.root, pool.n

    def captions(self, rows):
        return self._pool.captions(rows)

    def image_bytes(self, row):
        data = self._pool.image_bytes(row)
        return data[: len(data) // 2] if row in self._broken else data


def test_a_broken_image_is_replaced_with_its_caption_and_noted(pairs, tmp_path):
    pool, folder = pairs
    rows, words = np.arange(12), np.zeros(12, dtype=np.uint64)
    got = reader((Broken(pool, [3, 5]), folder), tmp_path).read(rows, words)
    clean = reader(pairs, tmp_path).read(rows, words)
    assert undecodable_rows(tmp_path) == [3, 5]
    kept = [row for row in range(12) if row not in (3, 5)]
    assert torch.equal(got.images[kept], clean.images[kept])
    again = reader((Broken(pool, [3, 5]), folder), tmp_path).read(rows[3:4], words[:1])
    assert torch.equal(got.images[3], again.images[0])
    assert torch.equal(got.tokens[3], again.tokens[0])
    everywhere = reader(pairs, tmp_path).read(np.arange(pool.n), np.zeros(pool.n, dtype=np.uint64))
    (twin,) = [
        row
        for row in range(pool.n)
        if torch.equal(everywhere.tokens[row], got.tokens[3])
        and torch.allclose(everywhere.images[row], got.images[3])
    ][:1]
    assert twin not in (3, 5)


@pytest.mark.parametrize("workers", [0, 1])
def test_errors_of_workers_arrive_as_they_are(pairs, tmp_path, everything, workers):
    pool, folder = pairs
    broken = reader((Broken(pool, range(pool.n)), folder), tmp_path)
    plan = PairPlan(everything, seed=1, steps=1, batch_size=8)
    with pytest.raises(TrainingError, match=r"^100 images of pool"):
        list(feed(broken, plan, [range(0, 8)], first_step=0, workers=workers))


def test_a_line_torn_by_a_kill_is_passed_over(tmp_path):
    (tmp_path / "undecodable.jsonl").write_text('{"row": 4}\n{"row": 2}\n{"ro')
    assert undecodable_rows(tmp_path) == [2, 4]


def test_a_pool_of_nothing_but_broken_images_stops_the_run(pairs, tmp_path):
    pool, folder = pairs
    broken = reader((Broken(pool, range(pool.n)), folder), tmp_path)
    with pytest.raises(TrainingError, match="assay pool verify"):
        broken.read(np.array([0]), np.zeros(1, dtype=np.uint64))


def test_an_edited_tokenizer_is_refused(pairs, tmp_path):
    _, folder = pairs
    recipe = tiny_clip_recipe(tokenizer=(folder / "tokenizer.json").read_bytes())
    (tmp_path / "tokenizer.json").write_bytes(b"{}")
    with pytest.raises(TrackError, match="not the sealed tokenizer"):
        Tokenize(recipe.tokenizer, 16, tmp_path)
