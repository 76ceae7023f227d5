"""What each page shows, as plain values: pure functions of a snapshot, without HTML."""
