"""Score every baseline of a track, and hold the scores against the expected ones."""
