import numpy as np
import pytest

from assay.foundry.scenes.png import encode_png
from assay.pool.imagetext.images import decode_image


@pytest.mark.parametrize("size", [(1, 1), (5, 3), (32, 32), (200, 150)])
def test_other_software_reads_the_pixels_that_were_written(size: tuple[int, int]) -> None:
    # The largest has more bytes than one stored block can hold.
    pixels = np.random.default_rng(0).integers(0, 256, (*size, 3), dtype=np.uint8)
    np.testing.assert_array_equal(np.asarray(decode_image(encode_png(pixels))), pixels)
