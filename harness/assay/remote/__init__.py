"""The participant's and the worker's side of a leaderboard: talk to its server, run what it asks for."""
