"""What an MCP server asks while it carries out a call (elicitation): put to the person whose turn has made the call.

The request arrives in the task of the connection, which knows no turn. So each call that a turn makes stands open here
under its lane's connections. What its server asks is put to the person of that turn, and ends with the call.
"""

import asyncio
import logging
from collections.abc import Generator
from contextlib import contextmanager
from contextvars import Context, ContextVar, copy_context
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit
from weakref import WeakKeyDictionary

from fast_agent.mcp.url_elicitation_required import parse_url_elicitation_required_data
from mcp.shared.exceptions import MCPError
from mcp_types import ElicitRequestURLParams, ElicitResult

from tasks.phrases import phrase
from tasks.text import utf16, within
from workers.runtime.askers import askers_of_turn
from workers.runtime.asking.forms import MESSAGE, Form, NotAForm, fill
from workers.runtime.tools.session_tools import session_of_turn
from workers.steps import Holds, PersonsAnswer, Question

log = logging.getLogger("cohort.runtime")

_BEFORE_END_S = 2.0
"""A question ends so long before its call does, so that the server can still say what came of it."""
_LONGEST_URL, _LONGEST_HOST = 2_000, 253
"""UTF-16 units: an address is shown whole, or not at all."""
_MOST_PAGES = 5
"""That a server may want to be opened before one call."""
_CANCEL = ElicitResult(action="cancel")

_NOT_OPENED = (
    "The MCP server {} wants a page opened first, and the person has not opened it. The call was not carried out."
)
_NO_ONE = (
    "The MCP server {} wants a page opened first, and there is no person to ask here. The call was not carried out."
)

holds_of_turn: ContextVar[Holds | None] = ContextVar("holds_of_turn", default=None)
"""Asks the person of the turn; set in its task."""


class PageNotOpened(RuntimeError):  # noqa: N818 - an event
    """A server carries out a call only when a page was opened, and it was not; the message is for the model."""


@dataclass(eq=False, slots=True)
class _OpenCalls:
    """The calls to one server that a turn has made and that have not ended."""

    holds: Holds
    server: str
    count: int = 0
    ends: float = 0.0
    """When the last of them ends at the latest, by the loop's clock."""
    context: Context = field(default_factory=copy_context)
    """Of the turn."""
    _one: asyncio.Lock = field(default_factory=asyncio.Lock)
    _answering: "set[asyncio.Task[ElicitResult]]" = field(default_factory=set)

    async def asked(self, params: Any) -> ElicitResult:
        """Put it to the person; cancelled when no call is open any more."""
        # A child that is cancelled, because the call has ended, ends the group without an error.
        async with asyncio.TaskGroup() as group:
            name = f"elicitation {self.server}"
            task = group.create_task(self._served(params), name=name, context=self.context)
            self._answering.add(task)
        self._answering.discard(task)
        return _CANCEL if task.cancelled() else task.result()

    def end(self) -> None:
        """No call is open any more."""
        for task in self._answering:
            task.cancel()

    async def _served(self, params: Any) -> ElicitResult:
        try:
            async with self._one:
                return await self._answer(params)
        except NotAForm as problem:
            log.warning("elicitation.refused", extra={"server": self.server, "reason": str(problem)})
        except Exception:
            log.exception("elicitation.failed", extra={"server": self.server})
        return _CANCEL

    async def _answer(self, params: Any) -> ElicitResult:
        who = phrase("form-server", server=self.server)
        if isinstance(params, ElicitRequestURLParams):
            return await self._opened(who, params)
        filled = await fill(Form(params.message, params.requested_schema, who), self._ask)
        content: Any = dict(filled.values) if filled.action == "accept" else None
        return ElicitResult(action=filled.action, content=content)

    async def _opened(self, who: str, params: ElicitRequestURLParams) -> ElicitResult:
        """An address is for one person's eyes, so it is shown in a private chat only, and whole."""
        url = params.url.strip()
        parts = urlsplit(url)
        fits = utf16(url) <= _LONGEST_URL and 0 < len(parts.hostname or "") <= _LONGEST_HOST
        if parts.scheme not in ("http", "https") or not url.isprintable() or not fits or session_of_turn.get().chat < 0:
            log.warning("elicitation.refused", extra={"server": self.server, "reason": "its address cannot be shown"})
            return _CANCEL
        asks = phrase("form-page", who=who, host=parts.hostname, message=within(params.message, MESSAGE))
        text = f"{asks}\n\n{url}"
        said = await self._ask(text, (phrase("button-opened"), phrase("button-no"), phrase("button-cancel")))
        pressed = said.pressed if said is not None else None
        if pressed not in (0, 1):
            return _CANCEL
        return ElicitResult(action="accept" if pressed == 0 else "decline")

    async def _ask(self, text: str, choices: tuple[str, ...]) -> PersonsAnswer | None:
        left = self.ends - _BEFORE_END_S - asyncio.get_running_loop().time()
        if left <= 0:
            return None
        said = await self.holds(Question("", self.server, "", text=text, choices=choices), left)
        if said is not None and said.person is not None and (askers := askers_of_turn.get()) is not None:
            askers.add((said.person,))
        return said


_open: "WeakKeyDictionary[Any, dict[str, _OpenCalls]]" = WeakKeyDictionary()
"""Connections of an agent of a lane (``MCPAggregator``) -> the open calls to each server."""


@contextmanager
def open_call(aggregator: Any, server: str, seconds: float) -> Generator[None]:
    """While a call of a turn runs, what its server asks is put to the turn's person.

    Args:
        aggregator: fast-agent's, which makes the call.
        server: Its name there.
        seconds: What the call may take.
    """
    holds = holds_of_turn.get()
    if holds is None:
        yield
        return
    servers = _open.setdefault(aggregator, {})
    calls = servers.setdefault(server, _OpenCalls(holds, server))
    calls.count += 1
    calls.ends = max(calls.ends, asyncio.get_running_loop().time() + seconds)
    try:
        yield
    finally:
        calls.count -= 1
        if not calls.count:
            del servers[server]
            calls.end()


async def open_pages(aggregator: Any, server: str, refusal: MCPError) -> None:
    """Have the person open what a server wants opened before it carries out a call (its error -32042).

    Raises:
        PageNotOpened: it is not opened; the message is for the model.
    """
    calls = _open.get(aggregator, {}).get(server)
    pages = parse_url_elicitation_required_data(refusal.data).elicitations
    if calls is None or not 0 < len(pages) <= _MOST_PAGES:
        raise PageNotOpened(_NO_ONE.format(server))
    for page in pages:
        if (await calls.asked(page)).action != "accept":
            raise PageNotOpened(_NOT_OPENED.format(server))


async def elicited(aggregator: Any, server: str | None, params: Any) -> ElicitResult:
    """What a server reads as the answer. Where no turn with a person has a call open there: that it was cancelled."""
    calls = _open.get(aggregator, {}).get(server or "")
    return await calls.asked(params) if calls is not None else _CANCEL
