"""Assay measures how good a training set is.

The recipe and the evaluation suite are frozen; a participant hands in a list of example ids; Assay
trains on exactly those examples, evaluates, and writes a record.
"""

__version__ = "0.1.0"
