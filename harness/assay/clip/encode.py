"""Images and texts into unit vectors, a batch at a time."""

import itertools
import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TYPE_CHECKING, Protocol

import torch
from torch import Tensor
from torch.nn import functional as F

from assay.errors import SuiteError
from assay.pool.imagetext.images import ImageProblem, load_image

if TYPE_CHECKING:
    from PIL import Image

Tokenize = Callable[[list[str]], Tensor]
"""Texts to token ids, (k, context) int64."""
Transform = Callable[["Image.Image"], Tensor]
"""An image of any mode to a normalised float tensor, (3, size, size)."""

_MAX_DECODERS = 8


class TwoTowers(Protocol):
    """What evaluation needs of an open_clip model."""

    training: bool

    @property
    def logit_scale(self) -> Tensor:
        """Logarithm of the inverse temperature."""
        ...

    def encode_image(self, image: Tensor) -> Tensor:
        """Return (k, d) for (k, 3, size, size)."""
        ...

    def encode_text(self, text: Tensor) -> Tensor:
        """Return (k, d) for (k, context)."""
        ...


@torch.inference_mode()
def encode_images(
    model: TwoTowers,
    transform: Transform,
    images: Iterable[tuple[str, bytes]],
    *,
    device: str,
    batch_size: int,
) -> Tensor:
    """Encode images; decoding goes on in threads while the model works.

    Args:
        model: On `device`, in evaluation mode.
        transform: What prepares an image.
        images: What to call each in a message, and its encoded bytes; read a batch ahead.
        device: Where the model is.
        batch_size: Images at a time.

    Returns:
        (n, d) float32 unit vectors on `device`, in order.

    Raises:
        SuiteError: If an image cannot be decoded, or the model's output is not finite.
    """

    def load(image: tuple[str, bytes]) -> Tensor:
        where, data = image
        try:
            return transform(load_image(data))
        except ImageProblem as problem:
            raise SuiteError(f"{where}: unreadable image ({problem}); get the file again") from None

    features: list[Tensor] = []
    with ThreadPoolExecutor(min(_MAX_DECODERS, os.cpu_count() or 1)) as pool:
        for futures in _ahead(pool, load, images, batch_size):
            batch = torch.stack([future.result() for future in futures])
            features.append(_unit(model.encode_image(batch.to(device))))
    assert features, "no image to encode"
    return torch.cat(features)


@torch.inference_mode()
def encode_texts(
    model: TwoTowers, tokenize: Tokenize, texts: Sequence[str], *, device: str, batch_size: int
) -> Tensor:
    """Encode texts, each different one once, so that equal texts have equal vectors to the last bit.

    Returns:
        (n, d) float32 unit vectors on `device`, in order.

    Raises:
        SuiteError: If the model's output is not finite.
    """
    unique = list(dict.fromkeys(texts))
    position = {text: number for number, text in enumerate(unique)}
    features = [
        _unit(model.encode_text(tokenize(unique[start : start + batch_size]).to(device)))
        for start in range(0, len(unique), batch_size)
    ]
    index = torch.tensor([position[text] for text in texts], device=device)
    return torch.cat(features)[index]


def encode_classes(
    model: TwoTowers,
    tokenize: Tokenize,
    classes: Sequence[Sequence[str]],
    templates: Sequence[str],
    *,
    device: str,
    batch_size: int,
) -> Tensor:
    """Encode classes: the mean of the unit vectors of all names in all templates, made a unit vector.

    Returns:
        (classes, d) float32 on `device`.

    Source:
        Radford et al. (2021), section 3.1.4, https://arxiv.org/abs/2103.00020.
    """
    prompts = [
        [template.replace("{c}", name) for name in names for template in templates]
        for names in classes
    ]
    flat = [prompt for group in prompts for prompt in group]
    features = encode_texts(model, tokenize, flat, device=device, batch_size=batch_size)
    means = [part.mean(dim=0) for part in features.split([len(group) for group in prompts])]
    return F.normalize(torch.stack(means), dim=-1)


def _unit(features: Tensor) -> Tensor:
    features = F.normalize(features.float(), dim=-1)
    if not torch.isfinite(features).all():
        raise SuiteError("the model's features are not finite; its training broke, train again")
    return features


def _ahead(
    pool: ThreadPoolExecutor,
    load: Callable[[tuple[str, bytes]], Tensor],
    images: Iterable[tuple[str, bytes]],
    batch_size: int,
) -> Iterator[list[Future[Tensor]]]:
    """Yield batches of what is being loaded, the next one under way while one is used."""
    source = iter(images)
    waiting: deque[list[Future[Tensor]]] = deque()
    while batch := [pool.submit(load, image) for image in itertools.islice(source, batch_size)]:
        waiting.append(batch)
        if len(waiting) > 1:
            yield waiting.popleft()
    yield from waiting
