"""Pools of images with captions: read where they lie, joined with metadata, one index for all."""
