"""Training: one loop on accelerate, for every modality."""
