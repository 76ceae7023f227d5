"""Image-text evaluation: what is asked, in which webdataset shards, under which digests."""

from assay.suite.clip.files import (
    clip_suite_folder,
    dump_clip_suite_yaml,
    load_any_suite,
    load_clip_suite,
)
from assay.suite.clip.lock import data_digest
from assay.suite.clip.spec import ClipSuite, ClipTask

__all__ = [
    "ClipSuite",
    "ClipTask",
    "clip_suite_folder",
    "data_digest",
    "dump_clip_suite_yaml",
    "load_any_suite",
    "load_clip_suite",
]
