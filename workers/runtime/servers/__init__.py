"""MCP servers: their calls and answers, sessions, people's own connections, health."""
