"""The leaderboard's server: hand a list in, wait, read a score that the server computed itself."""
