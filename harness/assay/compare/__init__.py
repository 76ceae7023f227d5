"""Comparisons: of submissions in the ledger, and of the recipes of a published table.

Every comparison is computed into plain dataclasses; text, JSON and CSV are made from those.
"""
