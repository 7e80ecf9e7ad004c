"""Which budget each call to Telegram takes from: none passes the limiter that is not meant to."""

import inspect
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from botapi.calls import Calls
from botapi.pacing import Priority
from botapi.shape import Shape
from botapi.split import Part
from tasks.envelope import Button, OutFile
from tasks.session import SessionKey
from tasks.telemetry import metrics
from tests.telegram.conftest import World
from tests.telegram.test_files_out import png

type Call = Callable[[Calls, SessionKey, int], Awaitable[Any]]

RICH = ({"type": "paragraph", "text": "hello"},)
PNG = png()
PICTURE = OutFile(kind="photo", name="a.png")
SHAPE = Shape("new words")
BUTTONS = ((Button(text="Retry", data="retry"),),)

CALLS: dict[str, tuple[Call, str]] = {
    "create": (lambda calls, session, _: calls.create(session, SHAPE), "final"),
    "create, rich": (lambda calls, session, _: calls.create(session, Shape("hello", rich=RICH)), "final"),
    "create, the first seen": (
        lambda calls, session, _: calls.create(session, SHAPE, priority=Priority.FIRST),
        "first",
    ),
    "edit": (lambda calls, session, message: calls.edit(session, message, SHAPE), "final"),
    "edit, rich": (lambda calls, session, message: calls.edit(session, message, Shape("hello", rich=RICH)), "final"),
    "frame": (lambda calls, session, message: calls.frame(session, message, Part("more")), "frame"),
    "draft": (lambda calls, session, _: calls.draft(session, 1, Part("more")), "frame"),
    "draft, the first seen": (lambda calls, session, _: calls.draft(session, 1, Part("more"), first=True), "first"),
    "file": (lambda calls, session, _: calls.file(session, Shape("", file_name="a.md", file_text="a")), "final"),
    "files, one": (lambda calls, session, _: calls.files(session, Shape("", files=(PICTURE,)), [PNG]), "final"),
    "files, an album": (
        lambda calls, session, _: calls.files(session, Shape("", files=(PICTURE, PICTURE)), [PNG, PNG]),
        "final",
    ),
    "typing": (lambda calls, session, _: calls.typing(session), "typing"),
    "disarm": (lambda calls, session, message: calls.disarm(session, message), "final"),
    # What is rare, and no message: it takes nothing of what people read.
    "look": (lambda calls, session, message: calls.look(session, message), "control"),
    "delete": (lambda calls, session, message: calls.delete(session, message), "control"),
    "name_topic": (lambda calls, session, _: calls.name_topic(session, "Plans"), "control"),
}


def counted() -> dict[str, float]:
    """How many calls of each budget went out."""
    samples = [sample for family in metrics.SENDS.collect() for sample in family.samples]
    return {sample.labels["kind"]: sample.value for sample in samples if sample.name.endswith("_total")}


@pytest.mark.parametrize("name", CALLS)
async def test_a_call_takes_from_its_budget(world: World, name: str) -> None:
    call, budget = CALLS[name]
    session = await world.session()
    if name == "name_topic":
        session = SessionKey(session.bot, session.chat, await world.pg.topic(session.chat, ""))
    message = await world.calls.create(session, Shape("words", topic=session.topic, buttons=BUTTONS))
    before = counted()
    await call(world.calls, session, message)
    after = counted()
    assert {kind: more for kind in after if (more := after[kind] - before.get(kind, 0))} == {budget: 1}


def test_each_call_is_in_the_table() -> None:
    methods = {name for name, method in inspect.getmembers(Calls, inspect.iscoroutinefunction) if name[0] != "_"}
    assert methods == {name.partition(",")[0] for name in CALLS}
