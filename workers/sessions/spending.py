"""Allowances: what model calls cost and who pays. Turns that run at the same time do not spend the same tokens."""

import asyncio
import logging
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import lru_cache
from typing import Protocol
from uuid import uuid4

from tasks import keys
from tasks.clock import Clock
from tasks.config.settings import Settings
from tasks.envelope import Inbound
from tasks.errors import StoreUnavailable
from tasks.session import SessionKey
from tasks.store.sessions import Commit, Counts, Hold
from tasks.telemetry import metrics
from workers.usage import Usage, tokens

log = logging.getLogger("cohort.turns")

LEAST_HELD = 1000
"""Tokens held at least for a turn; more when the session's turns have taken more on the average."""
_HELD_FOR_S = 3600.0
"""A hold expires after this time. It matters when its worker died and the turn is not run again."""

_DAY_S = 86_400

USED_UP, HELD = 1, 2
"""Verdicts of ``reserve``: the allowance is used up; running turns hold what is left of it."""


def _shown(model: str, used: Mapping[str, int]) -> None:
    """Show in metrics what one call used."""
    metrics.series(metrics.TOKENS, model, "input").inc(used["input_tokens"])
    metrics.series(metrics.TOKENS, model, "output").inc(used["output_tokens"])
    if seconds := used.get("heard_seconds"):
        metrics.HEARD_SECONDS.labels(model).inc(seconds)
    if characters := used.get("spoken_characters"):
        metrics.SPOKEN_CHARACTERS.labels(model).inc(characters)


class Ledger(Protocol):
    """Counts tokens (``tasks.store.sessions.SessionStore``)."""

    async def charge(self, session: SessionKey, ident: str, usage: Mapping[str, Counts]) -> None:
        """Add ``usage``. A call that is repeated with the same ``ident`` counts once."""
        ...

    async def reserve(self, session: SessionKey, holds: Sequence[Hold], seconds: float) -> list[int]:
        """Hold tokens; for each hold 0 (held), 1 (used up) or 2 (other turns hold what is left)."""
        ...


@dataclass(frozen=True, slots=True)
class Admission:
    """Who may spend; the verdicts are those of ``reserve``."""

    chat: int
    """The chat's verdict."""
    payers: Mapping[int, int]
    """The verdict of each payer."""


def payer(message: Inbound, session: SessionKey) -> int:
    """Who pays for a message: its person. The chat pays for one in a chat's name (an anonymous admin, a channel).

    Otherwise a person could make channels, and each would have an allowance of its own.
    """
    person = message.person
    return person if person is not None and person > 0 else session.chat


class Spending:
    """Counts the cost of one claim's turns: with the commit, or ahead of it when a turn goes on after a model call."""

    def __init__(self, session: SessionKey, ledger: Ledger, settings: Settings, clock: Clock) -> None:
        self._session = session
        self._ledger = ledger
        self._settings = settings
        self._clock = clock
        self._payers: Counter[int] = Counter()
        self._owed: dict[str, Counter[str]] = {}
        self._state: Counter[str] = Counter()
        self._held: set[str] = set()
        self._unconfirmed: list[tuple[str, Mapping[str, Counts]]] = []
        self._more = asyncio.Event()
        self.total = Usage()
        """All tokens spent under this claim."""

    @property
    def tokens(self) -> int:
        """All tokens spent under this claim, in and out."""
        return self.total.input_tokens + self.total.output_tokens

    def measured(self) -> Callable[[], Usage]:
        """What is spent from now on."""
        before = self.total
        return lambda: Usage(
            self.total.input_tokens - before.input_tokens, self.total.output_tokens - before.output_tokens
        )

    def shared_by(self, messages: Sequence[Inbound]) -> None:
        """Charge the payers of these messages from now on, the same share for each message."""
        self._payers = Counter(payer(message, self._session) for message in messages)

    def spent(self, usage: Usage) -> None:
        """Charge a model call that has ended. Called in the loop thread; never raises."""
        used = usage.counted
        model = usage.model or "unknown"
        _shown(metrics.bounded("model", model), used)
        if not usage.apart:
            self.total = replace(
                self.total,
                input_tokens=self.total.input_tokens + used["input_tokens"],
                output_tokens=self.total.output_tokens + used["output_tokens"],
            )
        self._state.update(used)
        self._owe(f"chat:{self._session.chat}", used)
        self._owe(f"model:{model}", used)
        for who, share in self._shares(used).items():
            self._owe(f"user:{who}", share)

    def spent_in_all(self, usage: Usage, before: Usage) -> None:
        """Charge what is missing of a turn's whole ``usage``; a runtime may tell its calls one by one or not at all.

        Args:
            usage: What the turn cost in all.
            before: ``total`` when the turn began.
        """
        more = Usage(
            max(0, tokens(usage.input_tokens) - (self.total.input_tokens - before.input_tokens)),
            max(0, tokens(usage.output_tokens) - (self.total.output_tokens - before.output_tokens)),
            usage.model,
        )
        if more.input_tokens or more.output_tokens:
            self.spent(more)

    def count_soon(self) -> None:
        """Count what is owed. Called when the turn goes on with a tool or another try, so there is time for it."""
        if self._owed:
            self._more.set()

    async def counting(self) -> None:
        """Count whenever ``count_soon`` was called, until cancelled."""
        while True:
            await self._more.wait()
            self._more.clear()
            try:
                await self.count()
            except Exception:
                # A turn must not fail because of its bill. The next count tries this again.
                log.exception("spending.defect")

    async def count(self) -> None:
        """Count what is owed, in one attempt. What fails is tried again by the next call."""
        if self._owed or self._held:
            self._unconfirmed.append((uuid4().hex[:12], self._take_owed()))
        with suppress(StoreUnavailable):
            while self._unconfirmed:
                ident, usage = self._unconfirmed[0]
                if not usage:
                    self._unconfirmed.pop(0)
                    continue
                await self._ledger.charge(self._session, ident, usage)
                self._unconfirmed.pop(0)

    def with_commit(self, commit: Commit) -> Commit:
        """Add what is owed to the commit, and what its answers cost that will be spoken."""
        for file in (file for reply in commit.replies for file in reply.files if file.speak):
            self.spent(Usage(model=self._settings.voice or "", characters=len(file.speak), apart=True))
        add = Counter(commit.add)
        add.update(self._state)
        self._state.clear()
        usage = self._take_owed()
        if turns := commit.add.get("turns"):
            scopes = [f"chat:{self._session.chat}", *(f"user:{who}" for who in self._payers)]
            for name in dict.fromkeys([*map(self._name, scopes), *(name for name in usage if usage[name].add)]):
                counts = usage.get(name, Counts({}))
                usage[name] = Counts({**counts.add, "turns": turns}, counts.set)
        return replace(commit, add=dict(add), usage=usage)

    def with_steps(self) -> tuple[dict[str, int], dict[str, Counts]]:
        """What is owed, to be counted with steps of the turn that are kept now: of the state, and of the day."""
        add = dict(self._state)
        self._state.clear()
        return add, self._take_owed()

    def not_kept(self, add: Mapping[str, int], usage: Mapping[str, Counts]) -> None:
        """The steps were refused; what they have cost has been spent nevertheless."""
        self._state.update(add)
        self._unconfirmed.append((uuid4().hex[:12], usage))

    def not_committed(self, commit: Commit) -> None:
        """The claim was lost. The tokens are spent all the same, so they are counted without the commit."""
        self._unconfirmed.append((commit.id, commit.usage))

    # -- allowances

    async def admit(self, messages: Sequence[Inbound], known: Usage, turns: int) -> Admission:
        """Hold tokens for a turn.

        Args:
            messages: What it answers.
            known: What the session has used so far.
            turns: In how many turns.
        """
        settings = self._settings
        shares = Counter(payer(message, self._session) for message in messages)
        if not settings.budget_user and not settings.budget_chat:
            return Admission(0, dict.fromkeys(shares, 0))
        average = (known.input_tokens + known.output_tokens) // turns if turns else 0
        amount = max(LEAST_HELD, average)
        holds = [Hold(self._name(f"chat:{self._session.chat}"), settings.budget_chat, amount)]
        holds += [
            Hold(self._name(f"user:{who}"), settings.budget_user, amount * share // len(messages))
            for who, share in shares.items()
        ]
        chat, *payers = await self._ledger.reserve(self._session, holds, _HELD_FOR_S)
        self._held.update(hold.name for hold in holds)
        return Admission(chat, dict(zip(shares, payers, strict=True)))

    # -- parts

    def _shares(self, used: Mapping[str, int]) -> dict[int, dict[str, int]]:
        """Split tokens among the payers by their messages; the last payer gets the remainder."""
        payers = self._payers or Counter({self._session.chat: 1})
        total, last = payers.total(), next(reversed(payers))
        shares = {who: {name: count * part // total for name, count in used.items()} for who, part in payers.items()}
        for name, count in used.items():
            shares[last][name] += count - sum(share[name] for share in shares.values())
        return shares

    def _owe(self, scope: str, used: Mapping[str, int]) -> None:
        self._owed.setdefault(self._name(scope), Counter()).update(used)

    def _take_owed(self) -> dict[str, Counts]:
        """Take out what is owed and the holds to release; nothing is owed afterwards."""
        gone = {f"held:{self._session}": ""}
        names = dict.fromkeys([*self._owed, *sorted(self._held)])
        usage = {name: Counts(dict(self._owed.get(name, {})), gone if name in self._held else {}) for name in names}
        self._owed.clear()
        self._held.clear()
        return usage

    def _name(self, scope: str) -> str:
        """The usage key of a scope, for today (UTC)."""
        return keys.usage(f"{self._session.bot}:{scope}", _day(int(self._clock.now() // _DAY_S)))


@lru_cache(maxsize=2)
def _day(number: int) -> str:
    """The same for all turns of a day (UTC)."""
    return datetime.fromtimestamp(number * _DAY_S, UTC).date().isoformat()
