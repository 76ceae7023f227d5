"""The text modality: a causal language model, packed token windows, lm-eval tasks."""

from assay.torchvision_ops import define_missing_schemas

# transformers imports torchvision wherever it is installed, so this cannot wait for a call.
define_missing_schemas()
