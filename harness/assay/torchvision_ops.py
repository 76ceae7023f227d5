"""Let torchvision be imported where its compiled operators cannot be loaded.

PyPI's torchvision is a CUDA build. Beside a CPU build of torch its operator library does not load,
and `import torchvision` then fails while registering shape functions for two operators that were
never defined. transformers and open_clip import torchvision wherever it is installed, for image
transforms that need neither operator. Defining the two schemas is enough; calling them still fails,
as it should. With matching builds this does nothing.
"""

import importlib.util
from pathlib import Path
from typing import Any

_SCHEMAS = (
    "nms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor",
    "qnms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor",
)
# torch drops a library's definitions together with the Library object.
_library: Any = None


def operators_load() -> bool:
    """Say whether torchvision's compiled operators load beside the installed torch."""
    import torch

    spec = importlib.util.find_spec("torchvision")
    assert spec is not None
    assert spec.origin is not None
    compiled = sorted(Path(spec.origin).parent.glob("_C*.so"))
    try:
        for path in compiled:
            torch.ops.load_library(str(path))
    except OSError:
        return False
    return bool(compiled)


def define_missing_schemas() -> bool:
    """Define the two schemas if, and only if, torchvision is installed and its operators fail.

    Returns:
        Whether anything was defined.
    """
    global _library
    if _library is not None or importlib.util.find_spec("torchvision") is None or operators_load():
        return False
    import torch

    _library = torch.library.Library("torchvision", "DEF")
    for schema in _SCHEMAS:
        _library.define(schema)
    return True
