"""The CLIP modality: open_clip models trained on image-text pairs.

Importing this package prepares `import open_clip`, which always imports torchvision; see
`assay.torchvision_ops`.
"""

from assay.torchvision_ops import define_missing_schemas

define_missing_schemas()
