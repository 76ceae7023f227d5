"""What a submission holds: evaluation items, copies, sources; what it shares with earlier ones; its data card."""
