"""People whose turns ask before they act: they allow and deny, press twice, and others press in their place."""

import asyncio
from collections.abc import Mapping
from random import Random
from typing import Any

from playground.client import PlaygroundClient, PlaygroundError
from tasks.clock import Clock
from tests.chaos.people import Crowd, Place, arrivals
from tests.harness import collect, counters
from tests.harness.history import Press

PATIENCE = 6.0
"""Seconds that a person thinks, at most."""


class Askers:
    """``presses`` and ``questions`` are for the checker.

    ``open``: questions that are shown and not answered. ``answered``: set at each answer, for who waits for one.
    """

    def __init__(self, people: PlaygroundClient, crowd: Crowd, random: Random, clock: Clock, rate: float) -> None:
        """``rate``: so many of them begin in a second."""
        self._people = people
        self._crowd = crowd
        self._random = random
        self._clock = clock
        self._rate = rate
        self._shown: asyncio.Queue[tuple[str, str, int, int, bool]] = asyncio.Queue()
        self._known: set[str] = set()
        self._places: dict[int, Place] = {}
        self.presses: list[Press] = []
        self.questions: set[tuple[int, int]] = set()
        self.open: set[str] = set()
        self.answered = asyncio.Event()

    async def ask(self, until: float) -> None:
        """Begin turns that ask, each in a chat of its own, until the loop's clock says so."""
        async for _ in arrivals(self._random, self._rate, until):
            place = await self._crowd.new_place(group=self._random.random() < 0.3)
            self._places[place.chat] = place
            await self._crowd.say(place, self._order)

    def _order(self, word: str) -> str:
        seconds = round(self._random.uniform(0, 0.5), 2)
        asking = counters.call(counters.APPROVED, f"{word}-1", seconds=seconds)
        other = counters.call("in_python", f"{word}-2", seconds=seconds)
        if self._random.random() < 0.4:
            choices = {"choices": _choices(f"{word}-1")} if self._random.random() < 0.5 else {}
            return self._random.choice(("", f"{other} THEN ")) + counters.call(counters.ASKED, f"{word}-1", **choices)
        third = counters.call(counters.APPROVED, f"{word}-3")
        return self._random.choice((asking, f"{other} THEN {asking}", f"{asking} {other}", f"{asking} THEN {third}"))

    def seen(self, entry: Mapping[str, Any]) -> None:
        """A message that Telegram took: perhaps a question."""
        question = collect.question(entry)
        if question is None:
            return
        chat, message, ident = question
        self.questions.add((chat, message))
        found = collect.CALL.findall(str(entry["params"].get("text", "")))
        if found and ident not in self._known:
            self._known.add(ident)
            self.open.add(ident)
            self._shown.put_nowait((ident, found[0], chat, message, ": which?" in entry["params"]["text"]))

    async def answer(self) -> None:
        """Answer each question that is shown; until cancelled."""
        async with asyncio.TaskGroup() as group:
            while True:
                question = await self._shown.get()
                group.create_task(self._answer(*question), name=f"answer {question[1]}")

    async def _answer(self, ident: str, name: str, chat: int, message: int, choices: bool) -> None:
        await asyncio.sleep(self._random.uniform(0, PATIENCE))
        if ident == name:
            await self._write(name, self._places[chat])
            return
        if chat < 0 and self._random.random() < 0.5:
            stranger = (await self._people.user())["id"]
            await self._press(ident, name, chat, message, "0" if choices else "once", stranger)
        verdict = self._random.choice(("0", "1") if choices else ("once", "once", "once", "no"))
        await self._press(ident, name, chat, message, verdict, None)
        self.open.discard(ident)
        self.answered.set()
        if self._random.random() < 0.3:
            second = self._random.choice(("0", "1") if choices else ("once", "no"))
            await self._press(ident, name, chat, message, second, None)

    async def _write(self, name: str, place: Place) -> None:
        """Who was asked answers in words, perhaps twice; in a group another person says something before."""
        if place.chat < 0 and self._random.random() < 0.5:
            await self._crowd.say(place, _nothing, by=(await self._people.user())["id"])
        await self._crowd.say(place, answers=name)
        self.open.discard(name)
        self.answered.set()
        if self._random.random() < 0.3:
            await self._crowd.say(place, _nothing)

    async def _press(self, *pressed: Any) -> None:
        ident, name, chat, message, verdict, stranger = pressed
        # Noted before: what it allows may come at once.
        said = _choices(name)[int(verdict)] if verdict.isdecimal() else verdict
        press = Press(ident, name, said, stranger is None, self._clock.now())
        self.presses.append(press)
        try:
            await self._people.press(chat, message, f"ask:{ident}:{verdict}", user=stranger)
        except PlaygroundError:
            # The question was answered before, and its buttons are gone.
            self.presses.remove(press)


def _choices(name: str) -> list[str]:
    return [f"left of {name}", f"right of {name}"]


def _nothing(_word: str) -> str:
    """What a message orders that only says something."""
    return ""
