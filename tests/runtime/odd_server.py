"""An MCP server on stdin and stdout that prints, lists, and answers what no server should."""

import json
import sys
from typing import Any

GOOD = {"type": "object", "properties": {"text": {"type": "string"}}}
NODE = {"type": "object", "properties": {"next": {"$ref": "#/$defs/Node"}, "value": {"enum": [1, 2]}}}
HOSTILE = {
    "type": "object",
    "$defs": {"Node": NODE},
    "properties": {
        "tree": {"$ref": "#/$defs/Node"},
        "name": {"type": ["string", "null"]},
        "all": True,
        "words": "string",
        "const": {"const": 1, "examples": [1]},
    },
    "required": ["const", "gone"],
}
TOOLS: list[Any] = [
    {"name": "plain", "inputSchema": GOOD},
    {"name": "no.dots/ü", "inputSchema": GOOD},
    {"name": "delete__all", "inputSchema": GOOD},
    {"name": "union", "inputSchema": {"anyOf": [GOOD, {"properties": {"number": {"type": "array"}}}]}},
    {"name": "shapeless", "inputSchema": {}, "outputSchema": {"type": "object", "required": ["x"]}},
    {"name": "hostile", "inputSchema": HOSTILE},
    {"name": "text", "inputSchema": {"type": "string"}},
    {"inputSchema": GOOD},
    "no tool",
]
RESULTS: dict[str, Any] = {
    "plain": {"content": [{"type": "video", "data": "x"}, {"type": "text", "text": "and words"}]},
    "union": {"isError": True},
    "shapeless": {"structuredContent": ["a list"]},
    "delete__all": "only words",
    "hostile": "taken",
}


def write(raw: bytes) -> None:
    sys.stdout.buffer.write(raw)
    sys.stdout.buffer.flush()


def main() -> None:
    write(b"\xff\xfe starting\n\n" + b"loading... ")
    for line in sys.stdin:
        asked = json.loads(line)
        number, method = asked.get("id"), asked["method"]
        if number is None:
            continue
        said: dict[str, Any] = {"error": {"code": -32601, "message": "no such method"}}
        if method == "initialize":
            info = {"name": "odd", "version": "1"}
            capabilities = {"tools": {}, "prompts": {}, "resources": {}}
            version = asked["params"]["protocolVersion"]
            said = {"result": {"protocolVersion": version, "capabilities": capabilities, "serverInfo": info}}
        elif method == "tools/list":
            said = {"result": {"tools": TOOLS}}
        elif asked.get("params", {}).get("name") == "no.dots/ü":
            write(b'{"jsonrpc":"2.0","id":%d,"result":{"content":[{"type":"text","text":"caf\xe9"}]}}\n' % number)
            continue
        elif method == "tools/call":
            said = {"result": RESULTS[asked["params"]["name"]]}
        write(json.dumps({"jsonrpc": "2.0", "id": number, **said}).encode() + b"\n")


if __name__ == "__main__":
    main()
