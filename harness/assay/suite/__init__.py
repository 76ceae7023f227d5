"""Evaluation suites: what is asked, in which files, under which digests."""

from assay.suite.spec import Form, Normalization, Suite, Task

__all__ = ["Form", "Normalization", "Suite", "Task"]
