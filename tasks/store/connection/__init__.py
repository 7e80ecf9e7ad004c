"""The connection to Redis: scripts, faults, the server's own words, and who holds a key."""
