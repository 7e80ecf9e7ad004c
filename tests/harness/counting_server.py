"""An MCP server whose tool writes down each of its executions with the call's key; on stdio, or over HTTP.

``python counting_server.py LOG [http]``; over HTTP it prints ``{"url": ...}``. Plain Python, so that it starts at once:
a worker has one for each lane.
"""

import json
import os
import sys
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from uuid import uuid4

KEY = "cohort.tool/callKey"
"""In the ``_meta`` of a request."""
SCHEMA = {"type": "object", "properties": {"name": {"type": "string"}, "seconds": {"type": "number"}}}


def now() -> float:
    """Seconds since the epoch; a server that starts with each lane imports nothing of ours."""
    return time.time()  # noqa: TID251 - as just said


class Counting:
    """The server's side of the protocol. ``pid``: of the worker whose calls these are; 0 where it is not known."""

    def __init__(self, log: Path, tool: str, pid: int) -> None:
        self._log = log
        self._tool = tool
        self._pid = pid

    def reply(self, request: dict[str, Any]) -> dict[str, Any] | None:
        """To a request; None to a notification."""
        if "id" not in request:
            return None
        params = request.get("params") or {}
        match request["method"]:
            case "initialize":
                version = params.get("protocolVersion", "2025-06-18")
                info = {"name": "counting", "version": "1"}
                result = {"protocolVersion": version, "capabilities": {"tools": {}}, "serverInfo": info}
            case "tools/list":
                result = {"tools": [{"name": self._tool, "description": "Count.", "inputSchema": SCHEMA}]}
            case "tools/call":
                text = self._count((params.get("_meta") or {}).get(KEY, ""), **params["arguments"])
                result = {"content": [{"type": "text", "text": text}], "isError": False}
            case "ping":
                result = {}
            case _:
                return {"jsonrpc": "2.0", "id": request["id"], "error": {"code": -32601, "message": "no such method"}}
        return {"jsonrpc": "2.0", "id": request["id"], "result": result}

    def _count(self, key: str, name: str, seconds: float = 0.0) -> str:
        ident = uuid4().hex
        self._note(id=ident, tool=self._tool, name=name, key=key, pid=self._pid, at=now())
        time.sleep(seconds)
        self._note(id=ident, until=now())
        return f"counted {name}"

    def _note(self, **fields: object) -> None:
        with self._log.open("a") as log:
            log.write(json.dumps(fields) + "\n")


def over_http(counting: Counting) -> None:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            request = json.loads(self.rfile.read(int(self.headers["content-length"])))
            reply = counting.reply(request)
            self._say(202 if reply is None else 200, b"" if reply is None else json.dumps(reply).encode())

        def do_GET(self) -> None:
            self._say(405, b"")

        def do_DELETE(self) -> None:
            self.do_GET()

        def _say(self, status: int, body: bytes) -> None:
            self.send_response(status)
            self.send_header("content-type", "application/json")
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Nothing is said of a request."""

    class Server(ThreadingHTTPServer):
        def handle_error(self, *_: object) -> None:
            """A client that was killed is no news."""

    with Server(("127.0.0.1", 0), Handler) as server:
        sys.stdout.write(json.dumps({"url": f"http://127.0.0.1:{server.server_port}/mcp"}) + "\n")
        sys.stdout.flush()
        server.serve_forever()


def main() -> None:
    log = Path(sys.argv[1])
    if sys.argv[2:] == ["http"]:
        over_http(Counting(log, "over_http", 0))
        return
    counting = Counting(log, "over_stdio", os.getppid())
    for line in sys.stdin:
        reply = counting.reply(json.loads(line))
        if reply is not None:
            sys.stdout.write(json.dumps(reply) + "\n")
            sys.stdout.flush()


if __name__ == "__main__":
    main()
