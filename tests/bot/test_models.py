"""The bot's models of updates beside aiogram's, which know nothing of them."""

import itertools
import json
import types
from collections.abc import Iterator
from datetime import datetime
from typing import Any, Literal, Union, get_args, get_origin

import pytest
from aiogram import types as tg
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from pydantic import BaseModel

from bot.updates.meaning import Malformed
from bot.updates.rich import RichMessage
from bot.updates.update import TelegramUpdate
from bot.updates.values import Object, Objects
from tests.bot.meanings import meaning_of
from tests.bot.test_junk import JUNK
from tests.bot.updates import raw, said

DEPTH = 4


def model_in(annotation: Any) -> type[Object] | None:
    """The bot's model that an annotation is made of, if it is made of one."""
    if isinstance(annotation, type) and issubclass(annotation, Object):
        return annotation
    inner = get_args(annotation) or get_args(getattr(annotation, "__value__", None))
    return next((found for part in inner if (found := model_in(part)) is not None), None)


def fields(model: type[Object], path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """The place of every field that the bot reads, by Telegram's names."""
    for name, field in model.model_fields.items():
        here = (*path, field.alias or name)
        yield here
        inner = model_in(field.annotation)
        if inner is not None and len(path) < DEPTH:
            listed = getattr(field.annotation, "__origin__", None) is Objects
            yield from fields(inner, (*here, "0") if listed else here)


def values(annotation: Any, ours: type[Object] | None, depth: int) -> st.SearchStrategy[Any]:
    """What aiogram's model may hold in a field of this type."""
    origin, inner = get_origin(annotation), [part for part in get_args(annotation) if part is not type(None)]
    if origin in (Union, types.UnionType):
        models = [part for part in inner if isinstance(part, type) and issubclass(part, BaseModel)]
        return st.one_of([values(part, ours, depth) for part in models or inner])
    if origin is Literal:
        return st.sampled_from(inner)
    if origin is list:
        return st.lists(values(inner[0], ours, depth), min_size=1, max_size=2)
    if hasattr(annotation, "__metadata__"):
        return values(inner[0], ours, depth)
    if issubclass(annotation, BaseModel):
        return built(annotation, ours, depth)
    if annotation is datetime:
        return st.integers(1, 2**31).map(lambda at: datetime.fromtimestamp(at).astimezone())
    return {int: st.integers(0, 2**52), float: st.floats(-180, 180), bool: st.booleans()}.get(
        annotation, st.text(st.characters(codec="utf-8"), min_size=1, max_size=8)
    )


def built(theirs: type[BaseModel], ours: type[Object] | None, depth: int = 0) -> st.SearchStrategy[Any]:
    """An object of aiogram's: what it needs, and some of what the bot reads."""
    needed: dict[str, st.SearchStrategy[Any]] = {}
    wanted: dict[str, st.SearchStrategy[Any]] = {}
    for name, field in theirs.model_fields.items():
        read = ours.model_fields.get(name) if ours is not None else None
        inner = model_in(read.annotation) if read is not None else None
        if field.is_required():
            needed[name] = values(field.annotation, inner, depth + 1)
        elif read is not None and depth < DEPTH and inner is not RichMessage:
            wanted[name] = values(field.annotation, inner, depth + 1)
    if theirs is tg.Chat:
        needed["type"] = st.sampled_from(["private", "group", "supergroup", "channel"])
    chosen = st.lists(st.sampled_from(sorted(wanted)), max_size=3) if wanted else st.just([])
    return chosen.flatmap(
        lambda names: st.builds(
            lambda given: theirs(**given), st.fixed_dictionaries(needed | {n: wanted[n] for n in names})
        )
    )


type Pairs = dict[type[Object], set[type[BaseModel]]]


def beside(ours: type[Object], theirs: Any, found: Pairs) -> Pairs:
    """Every model of ours with those of aiogram's that it reads; some stand for several kinds of an object."""
    new = models_in(theirs) - found.setdefault(ours, set())
    found[ours] |= new
    for name, field in ours.model_fields.items():
        inner = model_in(field.annotation)
        if inner is not None and inner is not RichMessage:
            for part in new:
                if name in part.model_fields:
                    beside(inner, part.model_fields[name].annotation, found)
    return found


def models_in(annotation: Any) -> set[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return {annotation}
    return {found for part in get_args(annotation) for found in models_in(part)}


def test_every_name_that_the_bot_reads_is_one_of_telegrams() -> None:
    for ours, theirs in beside(TelegramUpdate, tg.Update, {}).items():
        assert set(ours.model_fields) <= {name for model in theirs for name in model.model_fields}, ours


def test_every_text_that_is_read_is_read_with_its_form() -> None:
    for ours, theirs in beside(TelegramUpdate, tg.Update, {}).items():
        known = {name for model in theirs for name in model.model_fields}
        for name in ours.model_fields:
            assert f"{name}_entities" not in known or f"{name}_entities" in ours.model_fields, (ours, name)


def same(read: Any, told: Any) -> bool:
    """Whether a value of the bot's says what aiogram's says."""
    if isinstance(read, Object):
        return all(same(getattr(read, name), getattr(told, name, None)) for name in type(read).model_fields)
    if isinstance(read, tuple):
        return len(read) == len(told or []) and all(map(same, read, told or []))
    if isinstance(read, bool):
        return read == (told if isinstance(told, bool) else told is not None)
    if isinstance(told, datetime):
        return read == int(told.timestamp())
    return read == told or (isinstance(read, str) and read == str("?" if told is None else told))


@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.deferred(lambda: built(tg.Update, TelegramUpdate)))
def test_every_update_that_aiogram_can_build_is_read_to_the_same_values(update: tg.Update) -> None:
    read = TelegramUpdate.model_validate(raw(update))
    assert same(read, update), read


DECIDES = {
    ("update_id",),
    ("message",),
    *(
        ("message", *place)
        for place in [
            ("chat",),
            ("chat", "id"),
            ("chat", "type"),
            ("message_id",),
            ("text",),
            ("caption",),
            ("from",),
            ("from", "id"),
            ("sender_chat",),
            ("sender_chat", "id"),
            ("business_connection_id",),
            ("message_thread_id",),
            ("migrate_to_chat_id",),
            ("migrate_from_chat_id",),
        ]
    ),
}
"""Whose message it is, and what was said: of another type, the message cannot be understood."""

DECORATES = [
    place
    for place in fields(TelegramUpdate)
    # That a message stands in a topic has a meaning only beside the topic's id.
    if place[0] == "message" and place not in DECIDES and place[-1] != "is_topic_message"
]


def put(update: dict[str, Any], place: tuple[str, ...], value: Any) -> dict[str, Any]:
    of = update
    for name, inner in itertools.pairwise(place):
        if name != "0":
            found = of.setdefault(name, [{"id": 5, "file_id": "f"}] if inner == "0" else {"id": 5, "file_id": "f"})
            of = found[0] if isinstance(found, list) else found
    of[place[-1]] = value
    return update


@pytest.mark.promise("poison-update")
@pytest.mark.parametrize("examples", [8, pytest.param(25, marks=pytest.mark.soak)])
def test_no_wrong_value_in_a_field_that_only_adds_to_a_message_loses_it(examples: int) -> None:
    hello = json.dumps(said("hello"))

    @settings(max_examples=examples, deadline=None)
    @given(JUNK)
    @example(["?"])
    @example({"id": "?"})
    @example("?")
    @example(7.5)
    def never_loses_it(junk: Any) -> None:
        for place in DECORATES:
            found = meaning_of(put(json.loads(hello), place, junk))
            assert not isinstance(found, Malformed), (place, found)

    never_loses_it()


@pytest.mark.parametrize("place", sorted(DECIDES), ids=".".join)
def test_a_wrong_value_in_a_field_that_decides_is_malformed_and_named(place: tuple[str, ...]) -> None:
    found = meaning_of(put(said("hello"), place, ["?"]))
    assert isinstance(found, Malformed)
    assert found.reason.startswith(".".join(place[1:] or place))
