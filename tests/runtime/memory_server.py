"""``python -m tests.runtime.memory_server``: the knowledge graph server of the MCP project, ported to Python.

The port is written for the first release of the MCP SDK, in which its server class had another name.
"""

import sys
from types import SimpleNamespace

from mcp.server.mcpserver import MCPServer

sys.modules["mcp.server.fastmcp"] = SimpleNamespace(FastMCP=MCPServer)

from mcp_memory_py import server  # noqa: E402 - after the name that it looks for

if __name__ == "__main__":
    server.main()
