"""Decoding images that nobody vouches for."""

import io
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from PIL import Image

MAX_PIXELS = 64_000_000
"""A larger image is refused before a pixel of it is decoded: some 200 MB as RGB. Pillow warns later."""

FORMATS = ("JPEG", "PNG", "WEBP", "GIF", "BMP")
"""Formats of photographs on the web; no container that could reach other files or codecs."""


class ImageProblem(ValueError):  # noqa: N818 (a `Problem` once it is counted)
    """Bytes that are no image, or one that is too large to be decoded."""


def image_header(data: bytes) -> tuple[int, int, str]:
    """Return width and height in pixels and the format in lower case, from the header alone.

    Raises:
        ImageProblem: If there is no such header, or it promises no pixel or over `MAX_PIXELS`.
    """
    image = _open(data)
    return *image.size, (image.format or "").lower()


def image_size(data: bytes) -> tuple[int, int]:
    """Return width and height in pixels, from the header alone.

    Raises:
        ImageProblem: If there is no such header, or it promises over `MAX_PIXELS`.
    """
    return _open(data).size


def load_image(data: bytes) -> "Image.Image":
    """Decode the first frame, in whatever mode it is stored.

    Raises:
        ImageProblem: If the bytes cannot be decoded whole, or hold over `MAX_PIXELS`.
    """
    image = _open(data)
    try:
        image.load()
    except Exception as error:  # decoders raise whatever their formats make of broken bytes
        raise ImageProblem(f"{type(error).__name__}: {error}") from None
    return image


def to_rgb(image: "Image.Image", transparency: Literal["white", "drop"]) -> "Image.Image":
    """Bring an image to RGB.

    Args:
        image: Of any mode.
        transparency: `white` lays transparent pixels over white; `drop` forgets the alpha channel, as
            `Image.convert("RGB")` does.
    """
    from PIL import Image

    if transparency == "white" and image.has_transparency_data:
        image = image.convert("RGBA")
        canvas = Image.new("RGBA", image.size, "white")
        image = Image.alpha_composite(canvas, image)
    return image.convert("RGB")


def decode_image(data: bytes, *, transparency: Literal["white", "drop"] = "white") -> "Image.Image":
    """Decode the first frame as RGB; see `to_rgb`.

    Raises:
        ImageProblem: If the bytes cannot be decoded whole, or hold over `MAX_PIXELS`.
    """
    return to_rgb(load_image(data), transparency)


def _open(data: bytes) -> "Image.Image":
    """Read the header."""
    from PIL import Image

    try:
        image = Image.open(io.BytesIO(data), formats=FORMATS)
    except Exception as error:
        raise ImageProblem(f"{type(error).__name__}: {error}") from None
    width, height = image.size
    if not width * height:
        raise ImageProblem(f"{width} x {height} pixels")
    if width * height > MAX_PIXELS:
        raise ImageProblem(f"{width} x {height} pixels are over {MAX_PIXELS:,}")
    return image
