"""Logins of people at MCP servers (OAuth): tokens of one person, for that person's turns alone."""
