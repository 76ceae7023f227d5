"""Signals: columns computed once for every example of a pool, kept beside it, read by name.

columns    what a signal is
catalogue  which there are
build      compute what is missing
store      what is kept, and reading it
text/      signals of documents
"""
