"""From per-item outputs to metrics: pure arithmetic, no model, no file, no randomness."""
