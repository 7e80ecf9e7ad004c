"""A chat with an agent, for tests that are no coroutines: say something, and look at the answer."""

import asyncio
import threading
from collections.abc import Coroutine
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from playground import Json
from playground.client import PlaygroundClient

PATIENCE_S = 120.0
"""How long an answer may take, on a machine that does much else."""


@dataclass(frozen=True)
class Answer:
    """What the bot sent."""

    text: str
    """Of several messages, parted by blank lines; a file's caption."""
    messages: tuple[Json, ...] = field(repr=False)
    """As the Bot API has them."""

    @property
    def buttons(self) -> list[str]:
        """What the buttons below say."""
        return [button["text"] for message in self.messages for button in _buttons(message)]


def _buttons(message: Json) -> list[Json]:
    rows = message.get("reply_markup", {}).get("inline_keyboard", [])
    return [button for row in rows for button in row]


class Talking:
    """The playground's client, run in a thread of its own. Use as a context manager."""

    def __init__(self, address: str) -> None:
        self._address = address
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="agent-chat", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        self.client = self.do(self._opened())
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.do(self.client.close())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    async def _opened(self) -> PlaygroundClient:
        return PlaygroundClient(self._address)

    def do[T](self, work: Coroutine[Any, Any, T]) -> T:
        """Wait for what the client does."""
        return asyncio.run_coroutine_threadsafe(work, self._loop).result()


class AgentChat:
    """One chat with the bot. Each method that asks waits for the answer."""

    def __init__(self, talking: Talking, number: int) -> None:
        self._talking = talking
        self.id = number

    @classmethod
    def begun(cls, talking: Talking) -> Self:
        """A new private chat, in which nothing was said before."""
        return cls(talking, talking.do(talking.client.chat())["id"])

    def send(self, text: str, *, messages: int = 1, timeout: float = PATIENCE_S, **fields: Any) -> Answer:
        """Say something; ``messages``: how many messages the answer has.

        Further ``reply_to`` (a message id), ``quote``, ``thread``, and ``photo``, ``document`` ... as
        ``PlaygroundClient.say`` has them.

        Raises:
            TimeoutError: there was no answer in time.
        """
        before = len(self.messages)
        self._talking.do(self._talking.client.say(self.id, text, **fields))
        return self._answer(before, messages, timeout)

    def send_file(self, file: Path, *, kind: str = "document", messages: int = 1, caption: str = "") -> Answer:
        """Send a file, as a ``document``, ``photo``, ``voice`` ...; ``messages``: how many the answer has."""
        before = len(self.messages)
        sent = self._talking.do(self._talking.client.file(file.read_bytes(), file.name, kind=kind))
        self._talking.do(self._talking.client.say(self.id, caption=caption or None, **{kind: sent}))
        return self._answer(before, messages, PATIENCE_S)

    def press(self, button: str, *, messages: int = 1, timeout: float = PATIENCE_S) -> Answer:
        """Press the newest button that says this, and wait for what the bot sends then.

        Raises:
            LookupError: there is none.
            TimeoutError: there was no answer in time.
        """
        sent = self.messages
        keys = [(one["message_id"], key) for one in reversed(sent) for key in _buttons(one) if key["text"] == button]
        if not keys:
            there = list(dict.fromkeys(key["text"] for one in sent for key in _buttons(one)))
            raise LookupError(f"no button says {button!r}; there are {there}")
        number, key = keys[0]
        self._talking.do(self._talking.client.press(self.id, number, key["callback_data"]))
        return self._answer(len(sent), messages, timeout)

    @property
    def messages(self) -> list[Json]:
        """All that the bot sent and did not delete, as the Bot API has it, oldest first."""
        return self._talking.do(self._talking.client.bot_messages(self.id))

    def _answer(self, before: int, count: int, timeout: float) -> Answer:
        wanted = before + count
        new = self._talking.do(self._talking.client.wait_for(self.id, wanted, timeout=timeout))[before:wanted]
        return Answer("\n\n".join(one.get("text", one.get("caption", "")) for one in new), tuple(new))
