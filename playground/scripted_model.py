"""A model for tests of agents: over OpenAI's protocol it says what the test wrote down, and keeps what it read."""

import json
import re
import threading
from collections import deque
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self

from playground import Json

NAME = "generic.scripted"
"""What fast-agent calls it."""
_INTRODUCTION = re.compile(r"\A<tg-user [^<>]*/>\n?")


class ScriptedModel:
    """Use as a context manager. Where a test wrote nothing down it repeats the last message."""

    def __init__(self) -> None:
        self.requests: list[Json] = []
        """What was asked, oldest first, as OpenAI's protocol has it: ``messages``, ``tools`` ..."""
        self._lines: deque[Json] = deque()
        self._count = 0
        self._lock = threading.Lock()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}/v1"
        self._thread = threading.Thread(target=self._server.serve_forever, name="scripted-model", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def says(self, text: str) -> None:
        """The next answer that is not scripted yet."""
        self._lines.append({"content": text})

    def calls(self, tool: str, **arguments: Any) -> None:
        """The next answer calls a tool; the one after it is given once the tool's result has been read.

        ``tool``: its name, or the end of it (a server's tools are called ``server__tool``).
        """
        self._lines.append({"tool": tool, "arguments": arguments})

    @property
    def left(self) -> int:
        """How many answers were written down and not asked for."""
        return len(self._lines)

    @property
    def results(self) -> list[str]:
        """What tools answered, as the model read it in the newest request."""
        messages = self.requests[-1]["messages"] if self.requests else []
        return [_text(message) for message in messages if message["role"] == "tool"]

    @property
    def instruction(self) -> str:
        """The agent's instruction, as the newest request had it."""
        messages = self.requests[-1]["messages"] if self.requests else []
        return "\n".join(_text(message) for message in messages if message["role"] in ("system", "developer"))

    def clear(self) -> None:
        """Forget what was asked and what is not said yet."""
        self.requests.clear()
        self._lines.clear()

    def answer(self, asked: Json) -> Json:
        """The message that answers this request."""
        with self._lock:
            self.requests.append(asked)
            self._count += 1
            line = self._lines.popleft() if self._lines else {"content": _repeated(asked["messages"])}
        if "tool" not in line:
            return {"role": "assistant", **line}
        offered = [tool["function"]["name"] for tool in asked.get("tools") or []]
        name = next((one for one in offered if one == line["tool"]), None)
        name = name or next((one for one in offered if one.endswith(line["tool"])), None)
        if name is None:
            # In the chat, where the test's author looks.
            return {"role": "assistant", "content": f"The agent has no tool {line['tool']}; it has {offered}."}
        call = {"name": name, "arguments": json.dumps(line["arguments"])}
        calls = [{"index": 0, "id": f"call_{self._count}", "type": "function", "function": call}]
        return {"role": "assistant", "content": None, "tool_calls": calls}


def _text(message: Json) -> str:
    content = message.get("content")
    if isinstance(content, list):
        return "\n".join(str(part.get("text", "")) for part in content)
    return str(content or "")


def _repeated(messages: list[Json]) -> str:
    # A private chat's first message begins with a line about its person.
    return _INTRODUCTION.sub("", _text(messages[-1])) or "..."


def _handler(model: ScriptedModel) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            asked = json.loads(self.rfile.read(int(self.headers.get("content-length", 0))))
            message = model.answer(asked)
            ended = "tool_calls" if "tool_calls" in message else "stop"
            choice = {"index": 0, "finish_reason": ended}
            common = {"id": "scripted", "created": 0, "model": "scripted"}
            usage = {"prompt_tokens": 0, "completion_tokens": 0, "total_tokens": 0}
            if asked.get("stream"):
                kind = {"object": "chat.completion.chunk"}
                chunks = [
                    common | kind | {"choices": [{"index": 0, "delta": message, "finish_reason": None}]},
                    common | kind | {"choices": [choice | {"delta": {}}]},
                    common | kind | {"choices": [], "usage": usage},
                ]
                events = [json.dumps(chunk) for chunk in chunks] + ["[DONE]"]
                self._send("text/event-stream", "".join(f"data: {event}\n\n" for event in events))
            else:
                whole = {"object": "chat.completion", "choices": [choice | {"message": message}], "usage": usage}
                self._send("application/json", json.dumps(common | whole))

        def _send(self, kind: str, body: str) -> None:
            data = body.encode()
            self.send_response(200)
            self.send_header("content-type", kind)
            self.send_header("content-length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base class's name
            """Nothing is logged."""

    return Handler
