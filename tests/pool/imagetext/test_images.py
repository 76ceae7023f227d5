import io
import zlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from assay.pool.imagetext.images import (
    FORMATS,
    MAX_PIXELS,
    ImageProblem,
    decode_image,
    image_header,
    image_size,
)
from pairs import picture


def encode(image: Image.Image, kind: str) -> bytes:
    stream = io.BytesIO()
    image.save(stream, kind)
    return stream.getvalue()


@pytest.mark.parametrize("kind", FORMATS)
def test_every_format_is_decoded_as_rgb(kind: str) -> None:
    data = encode(Image.new("RGB", (5, 3), (255, 0, 0)), kind)
    image = decode_image(data)
    assert (image.mode, image.size, image_header(data)) == ("RGB", (5, 3), (5, 3, kind.lower()))
    red, green, blue = image.getpixel((2, 1))  # pyright: ignore[reportGeneralTypeIssues]
    assert red > 240
    assert max(green, blue) < 15


def test_transparent_pixels_are_white_unless_alpha_is_dropped() -> None:
    data = encode(Image.new("RGBA", (1, 1), (10, 20, 30, 0)), "PNG")
    assert decode_image(data).getpixel((0, 0)) == (255, 255, 255)
    assert decode_image(data, transparency="drop").getpixel((0, 0)) == (10, 20, 30)


def test_formats_that_reach_other_code_are_refused() -> None:
    with pytest.raises(ImageProblem, match="cannot identify"):
        image_size(encode(Image.new("RGB", (5, 3)), "TIFF"))


def claim(width: int, height: int) -> bytes:
    """Return a small PNG whose header promises other sizes."""
    data = bytearray(picture(0))
    data[16:24] = width.to_bytes(4) + height.to_bytes(4)
    data[29:33] = zlib.crc32(data[12:29]).to_bytes(4)
    return bytes(data)


def test_promises_of_too_many_pixels_are_refused_before_they_are_kept() -> None:
    side = int(MAX_PIXELS**0.5)
    assert image_size(claim(side, side)) == (side, side)
    for width, height in ((side + 1, side + 1), (100_000, 100_000), (MAX_PIXELS + 1, 1), (0, 5)):
        with pytest.raises(ImageProblem):
            image_size(claim(width, height))


@given(cut=st.integers(0, 400), at=st.integers(0, 200), value=st.integers(0, 255))
@settings(max_examples=100)
def test_damage_is_a_problem_or_an_image(cut: int, at: int, value: int) -> None:
    data = bytearray(picture(1, "jpeg"))
    data[at] = value
    try:
        image = decode_image(bytes(data[: len(data) - cut]))
    except ImageProblem:
        return
    assert image.mode == "RGB"
    assert image.width * image.height <= MAX_PIXELS
