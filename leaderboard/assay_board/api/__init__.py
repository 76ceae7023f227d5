"""HTTP, version 1: what participants, workers and readers may ask for."""
