"""A server of the MCP SDK 2.x: it asks by what a call needs first, or within the call."""

from typing import Annotated

from mcp.server.mcpserver import Context, MCPServer
from mcp.server.mcpserver.resolve import Elicit, Resolve
from pydantic import BaseModel

server = MCPServer("shop")


class Size(BaseModel):
    """A form."""

    size: int


def which() -> Elicit[Size]:
    """Asks before the call is carried out."""
    return Elicit("An order.", Size)


@server.tool()
async def before(size: Annotated[Size, Resolve(which)]) -> str:
    """Order."""
    return f"ordered {size.size}"


@server.tool()
async def within(ctx: Context) -> str:
    """Order."""
    said = await ctx.elicit("An order.", Size)
    return f"{said.action}ed {said.data.size if said.action == 'accept' else ''}"


if __name__ == "__main__":
    server.run(transport="stdio")
