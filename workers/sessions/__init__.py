"""What a worker does with a session: which turn is next, the turn, its commit, its delivery."""
