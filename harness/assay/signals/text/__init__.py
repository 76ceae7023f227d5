"""Signals of documents."""
