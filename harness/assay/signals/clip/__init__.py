"""Signals of image-text pairs, as far as no network is needed; those that need one are in `assay.clip`."""
