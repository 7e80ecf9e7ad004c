"""A small, fast mock of an OpenAI-compatible chat server that says which history it saw and breaks on demand.

Without any control it answers ``echo: <text of the last user turn> [n=<user messages in the request>]``. Words in the
last user turn steer it, so that a test can do so from a chat:

- ``HOLD:name`` waits before the first token, ``HOLD:name@3`` after three, until ``POST /release/name``;
- ``CALL:tool{"json": "arguments"}`` calls the offered tool whose name ends so; its result comes back in the answer;
- ``ROUNDS:9`` goes on calling them until there are nine results; ``CALL:a THEN CALL:b CALL:c``: one, then two;
- ``WORDS:200`` makes the answer that many words longer.

Run as ``python -m tests.support.model --port P [--ttft S] [--tps N] [--journal FILE]`` (prints ``{"url": ...}``), or in
the process: ``async with Model() as model: model.url``. Over HTTP, beside the model's own paths (chat, models, audio):

- ``POST /control``: ``{"ttft": s, "tps": n, "faults": [Fault fields, ...], "clear": true, "deaf": 0.5}`` (clear:
  faults and gates; deaf: this share of recordings is not heard);
- ``GET /journal?after=N&count=C&wait=S``: entries above N; it waits until C have ended, with ``begun=B`` for B;
- ``GET /held/name?count=C&wait=S``: waits until C requests are held at that gate; ``POST /release[/name]``.
"""

import argparse
import asyncio
import json
import re
import signal
from collections import Counter, deque
from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from tasks.clock import SystemClock
from tests.support.audio import Audio
from tests.support.script import HOLD, Answer, Entry, Fault, answer, last_turn, seen, with_marks
from tests.support.wire import ClientGone, HttpServer, Request


class Model(HttpServer):
    """The mock; ``ttft``: seconds to the first token, ``tps``: tokens (words) a second, 0 for all at once."""

    def __init__(
        self, *, port: int = 0, ttft: float = 0.0, tps: float = 0.0, journal: Path | None = None, **more: Any
    ) -> None:
        """``same_ids``: calls are numbered as by Ollama. ``marks``: as ``with_marks``. ``ssl``: a server's."""
        self.same_ids, self._look = more.pop("same_ids", False), with_marks if more.pop("marks", False) else list
        super().__init__(port=port, **more)
        self.ttft, self.tps = ttft, tps
        self.journal: deque[Entry] = deque(maxlen=100_000)
        self._file, self._clock = journal, SystemClock()
        self._number, self._faults = 0, list[Fault]()
        self._open_gates, self._held = set[str](), Counter[str]()
        self._watchers, self.audio = set[asyncio.Event](), Audio()

    # -- control, in the process

    def fault(self, **fields: Any) -> None:
        """Add a ``Fault``; the oldest that fits a request acts."""
        self._faults.append(Fault(**fields))

    def clear(self) -> None:
        """Forget faults and gates."""
        self._faults.clear()
        self._open_gates.clear()

    def release(self, name: str | None = None) -> None:
        """Open a gate for good, or let go whatever is held now."""
        self._open_gates.update([name] if name else list(self._held))
        self._news()

    async def held(self, name: str, count: int = 1, wait: float = 60.0) -> None:
        """Wait until so many requests are held at a gate.

        Raises:
            TimeoutError: they did not come.
        """
        await self._until(lambda: self._held[name] >= count, wait)

    async def seen(self, count: int = 1, *, after: int = 0, wait: float = 60.0) -> list[Entry]:
        """Wait until so many calls numbered above ``after`` have ended; all calls above it, oldest first.

        Raises:
            TimeoutError: they did not.
        """
        await self._until(lambda: sum(e.state != "running" for e in self._above(after)) >= count, wait)
        return self._above(after)

    def _above(self, number: int) -> list[Entry]:
        return [entry for entry in self.journal if entry.number > number]

    async def _until(self, holds: Callable[[], bool], wait: float) -> None:
        news = asyncio.Event()
        self._watchers.add(news)
        try:
            async with asyncio.timeout(wait):
                while not holds():
                    await news.wait()
                    news.clear()
        finally:
            self._watchers.discard(news)

    def _news(self) -> None:
        for watcher in self._watchers:
            watcher.set()

    # -- HTTP

    async def handle(self, request: Request) -> None:
        match request.path.strip("/").split("/"):
            case [*_, "chat", "completions"]:
                await self._complete(request)
            case [*_, "audio", what]:
                await self.audio.serve(what, request)
            case [*_, "models"]:
                await request.respond({"object": "list", "data": [{"id": "mock", "object": "model"}]})
            case ["control"]:
                await self._control(request)
            case ["journal"]:
                await self._tell(request)
            case ["held", name]:
                with suppress(TimeoutError):
                    await self.held(name, int(request.query.get("count", 1)), float(request.query.get("wait", 0)))
                await request.respond({"held": self._held[name]})
            case ["release", *name]:
                self.release(name[0] if name else None)
                await request.respond({"open": sorted(self._open_gates)})

    async def _control(self, request: Request) -> None:
        wanted = request.json()
        if wanted.get("clear"):
            self.clear()
        self.ttft, self.tps = wanted.get("ttft", self.ttft), wanted.get("tps", self.tps)
        self.audio.fails = wanted.get("deaf", self.audio.fails)
        self._faults.extend(Fault(**fields) for fields in wanted.get("faults", ()))
        await request.respond({"ttft": self.ttft, "tps": self.tps, "faults": [asdict(f) for f in self._faults]})

    async def _tell(self, request: Request) -> None:
        after, count = int(request.query.get("after", 0)), int(request.query.get("count", 0))
        begun, wait = int(request.query.get("begun", 0)), float(request.query.get("wait", 30))
        with suppress(TimeoutError):
            await self.seen(count, after=after, wait=wait)
            await self._until(lambda: len(self._above(after)) >= begun, wait)
        await request.respond([asdict(entry) for entry in self._above(after)])

    # -- a model call

    async def _complete(self, request: Request) -> None:
        asked = request.json()
        told = self._look(asked["messages"])
        messages, (last, results) = seen(told), last_turn(told)
        tools, self._number = [tool["function"]["name"] for tool in asked.get("tools") or ()], self._number + 1
        entry = Entry(self._number, self._clock.now(), asked["model"], bool(asked.get("stream")), messages, tools, last)
        self._note(entry)
        fault = self._take(last, messages[0]["text"] if messages else "")
        try:
            await self._misbehave_first(request, fault)
            said = answer(entry, fault, results, "call" if self.same_ids else f"call_{entry.number}")
            if entry.stream:
                await self._stream(request, entry, fault, said, asked.get("stream_options") or {})
            else:
                await self._hold(request, entry.last)
                await request.respond(self._whole(entry, fault, said))
            entry.state = "answered" if request.answered and not fault.status else "faulted"
        except ClientGone:
            entry.state = "disconnected" if request.gone else "faulted"
        finally:
            entry.until = self._clock.now()
            self._note(entry, new=False)

    def _note(self, entry: Entry, *, new: bool = True) -> None:
        if new:
            self.journal.append(entry)
        if self._file is not None:
            with self._file.open("a") as lines:
                lines.write(json.dumps(asdict(entry)) + "\n")
        self._news()

    def _take(self, last: str, head: str) -> Fault:
        for place, fault in enumerate(self._faults):
            if fault.match in last and fault.head in head:
                if fault.times is not None:
                    self._faults[place] = replace(fault, times=fault.times - 1)
                    if fault.times <= 1:
                        del self._faults[place]
                return fault
        return Fault()

    async def _misbehave_first(self, request: Request, fault: Fault) -> None:
        if fault.delay:
            await request.pause(fault.delay)
        if fault.mode == "hang":
            await self._gate(request, fault.name)
        if fault.mode == "hangup":
            request.abort()
        if fault.status is not None:
            error = {"message": fault.message, "type": fault.code, "code": fault.code, "param": None}
            headers = {"retry-after": str(fault.retry_after)} if fault.retry_after is not None else {}
            await request.respond({"error": error}, fault.status, headers)
            raise ClientGone

    def _whole(self, entry: Entry, fault: Fault, said: Answer) -> dict[str, Any]:
        message = {"role": "assistant", "content": said.text, **({"tool_calls": said.calls} if said.calls else {})}
        finish = "tool_calls" if said.calls else fault.finish
        choice = {"index": 0, "message": message, "finish_reason": finish, "logprobs": None}
        return {**self._shell(entry, "chat.completion"), "choices": [choice], "usage": said.usage}

    def _shell(self, entry: Entry, kind: str) -> dict[str, Any]:
        return {"id": f"chatcmpl-{entry.number}", "object": kind, "created": int(entry.at), "model": entry.model}

    async def _hold(self, request: Request, last: str) -> None:
        for found in HOLD.finditer(last):
            if not found[2]:
                await self._gate(request, found[1])

    async def _gate(self, request: Request, name: str) -> None:
        """Wait at a gate until it is opened."""
        self._held[name] += 1
        self._watchers.add(request.wake)
        self._news()
        try:
            await request.until(lambda: name in self._open_gates)
        finally:
            self._watchers.discard(request.wake)
            self._held[name] -= 1

    async def _stream(
        self, request: Request, entry: Entry, fault: Fault, said: Answer, options: dict[str, Any]
    ) -> None:
        shell = self._shell(entry, "chat.completion.chunk")

        def event(delta: dict[str, Any], finish: str | None = None) -> bytes:
            choice = {"index": 0, "delta": delta, "finish_reason": finish}
            return b"data: " + json.dumps({**shell, "choices": [choice]}).encode() + b"\n\n"

        if self.ttft:
            await request.pause(self.ttft)
        await self._hold(request, entry.last)
        await request.start(200, {"content-type": "text/event-stream", "transfer-encoding": "chunked"})
        await request.chunk(event({"role": "assistant", "content": ""}))
        tokens = re.findall(r"\s*\S+\s*$|\s*\S+", said.text)
        holds = {min(int(found[2]), len(tokens)): found[1] for found in HOLD.finditer(entry.last) if found[2]}
        start, ready = asyncio.get_running_loop().time(), b""
        for place, token in enumerate([*tokens, None]):
            special = (fault.mode and place == min(fault.after, len(tokens))) or place in holds
            if self.tps or special or token is None:
                if ready:
                    await request.chunk(ready)
                ready = b""
            if place in holds:
                await self._gate(request, holds[place])
            if special and await self._misbehave_within(request, fault, place, len(tokens)):
                return
            if token is not None:
                ready += event({"content": token})
                if self.tps:
                    await request.pause(start + (place + 1) / self.tps - asyncio.get_running_loop().time())
        if said.calls:
            await request.chunk(event({"tool_calls": [{"index": i, **call} for i, call in enumerate(said.calls)]}))
        end = event({}, "tool_calls" if said.calls else fault.finish)
        if options.get("include_usage"):
            end += b"data: " + json.dumps({**shell, "choices": [], "usage": said.usage}).encode() + b"\n\n"
        await request.chunk(end + b"data: [DONE]\n\n")
        await request.chunk(b"")

    async def _misbehave_within(self, request: Request, fault: Fault, place: int, tokens: int) -> bool:
        """A fault in the middle of a stream; True when the stream has ended by it."""
        if not fault.mode or place != min(fault.after, tokens):
            return False
        match fault.mode:
            case "stall":
                await self._gate(request, fault.name)
            case "drop":
                request.abort()
            case "malformed":
                await request.chunk(b'data: {"id": "x", "choices": [{]\n\n')
            case "truncate":
                await request.chunk(b"")
                return True
            case _:
                pass
        return False


async def _main(arguments: argparse.Namespace) -> None:
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    async with Model(**vars(arguments)) as model:
        print(json.dumps({"url": model.url}), flush=True)  # noqa: T201 - the caller reads the port here
        await stop.wait()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--ttft", type=float, default=0.0)
    parser.add_argument("--tps", type=float, default=0.0)
    parser.add_argument("--journal", type=Path)
    for name in ("--same-ids", "--marks"):
        parser.add_argument(name, action="store_true")
    asyncio.run(_main(parser.parse_args()))
