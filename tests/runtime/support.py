"""What the runtime's tests share: a clock that stands still, a sink that remembers, sessions that speak."""

import asyncio
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from pathlib import Path

from tasks.envelope import Inbound, Media, Sender
from tasks.session import SessionKey
from workers.interfaces import TurnRequest
from workers.runtime.engine import Engine
from workers.showing import Step

type Configure = Callable[[dict[str, object]], None]
type Open = Callable[..., AbstractAsyncContextManager[Engine]]

PROVIDERS = {
    "openai": ("openai.gpt-4.1-mini", "openai", {}),
    "responses": ("responses.gpt-5-mini", "openai", {"transport": "sse"}),
    "anthropic": ("anthropic.claude-haiku-4-5", "anthropic", {}),
    "google": ("google.gemini-2.5-flash", "gemini", {}),
}
"""Provider -> model, path on llmock, further settings of fast-agent."""

ASSISTANT = "---\nname: assistant\ndefault: true\nmodel: generic.mock\n---\nYou are an assistant.\n"

MODELS = {
    "openai": "openai.gpt-4.1-mini",
    "responses": "responses.gpt-5-mini",
    "responses of another name": "responses.gpt-5.4-mini",
    "anthropic": "anthropic.claude-haiku-4-5",
    "anthropic of another name": "anthropic.claude-sonnet-4-5",
    "google": "google.gemini-2.5-flash",
    "mistral": "generic.mistral-large",
    "local": "generic.llama",
}
TOOL = 'def lookup(of: str) -> str:\n    """Look something up."""\n    return f"found {of}"\n'


class StillClock:
    """Time that only tests move."""

    def __init__(self) -> None:
        self.seconds = 1_790_000_000.0

    def now(self) -> float:
        return self.seconds

    def monotonic(self) -> float:
        return self.seconds


class Screen:
    """A sink that keeps every frame and every tool shown."""

    def __init__(self) -> None:
        self.frames: list[str] = []
        self.steps: list[Step] = []
        self.phases: list[str] = []
        self.thoughts = ""
        self.words_heard = ""

    @property
    def tools(self) -> list[str]:
        """The names of tools that began, in order."""
        return [step.tool for step in self.steps if step.state == "running" and not step.done]

    def text(self, so_far: str) -> None:
        self.frames.append(so_far)

    def more(self, text: str) -> None:
        self.frames.append((self.frames[-1] if self.frames else "") + text)

    def thought(self, text: str) -> None:
        self.thoughts += text

    def heard(self, words: str) -> None:
        self.words_heard = words

    def step(self, step: Step) -> None:
        self.steps.append(step)

    def phase(self, words: str) -> None:
        self.phases.append(words)


async def until(holds: Callable[[], bool], wait: float = 60.0) -> None:
    """Let other tasks run until something holds.

    Raises:
        TimeoutError: it never did.
    """
    loop = asyncio.get_running_loop()
    async with asyncio.timeout(wait):
        while not holds():
            turn = loop.create_future()
            loop.call_soon(turn.set_result, None)
            await turn


def inbound(chat: int, text: str, *, update: int = 1, media: tuple[Media, ...] = (), **more: object) -> Inbound:
    return Inbound(session=f"42:{chat}", update_id=update, at=0.0, text=text, media=media, **more)


def group(chat: int, name: str, text: str, **more: object) -> Inbound:
    return inbound(chat, text, chat_type="supergroup", sender=Sender(id=1, name=name), **more)


def ask(chat: int, *texts: str | Inbound, history: bytes | None = None, **choice: str | None) -> TurnRequest:
    """A turn of session ``42:<chat>``."""
    messages = tuple(inbound(chat, text) if isinstance(text, str) else text for text in texts)
    return TurnRequest(SessionKey(42, chat), messages, history, **choice)


def card(directory: Path, name: str, text: str) -> Path:
    path = directory / name
    path.write_text(text)
    return path
