"""Tracks and scales: the sealed law that a score is measured under."""
