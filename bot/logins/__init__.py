"""Logins of people at MCP servers, as the bot sees them."""
