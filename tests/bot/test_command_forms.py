"""Commands as people type them."""

from typing import Any

import pytest

from bot.updates.commands import CODE, Command, nearest
from tasks.chats.command_names import ASKS, CONTROL
from tests.bot.meanings import heard, ignored, inbound
from tests.bot.updates import GROUP, said


@pytest.mark.parametrize(
    ("text", "argument"),
    [
        ("/new!", ""),
        ("/new.", ""),
        ("/new, hello", "hello"),
        ("/new@cohort_bot: hello", "hello"),
        ("/NEW?!", ""),
        ("/new\nhello\nworld", "hello\nworld"),
        ("/new\u00a0hello", "hello"),
        ("/new\u200b", ""),
        ("/new，你好", "你好"),
        ("／new", ""),
        ("／ｎｅｗ　你好", "你好"),
        ("/n\u0435w hello", "hello"),
        ("/new " + "x" * 4000, "x" * 4000),
    ],
)
def test_a_command_is_known_with_signs_behind_it_and_in_letters_that_look_like_its_own(
    text: str, argument: str
) -> None:
    assert (inbound(said(text)).kind, inbound(said(text)).text) == ("new", argument)
    assert heard(said(text, chat=GROUP)).addressed


@pytest.mark.parametrize(
    "text", ["/new/stop", "/new.txt", "/new\u0448", "//new", "/ new", "/stop👍", "/.", "/\u0441", "／", "/new-house"]
)
def test_what_only_begins_like_a_command_is_a_message(text: str) -> None:
    assert (inbound(said(text)).kind, inbound(said(text)).text) == ("message", text)


def test_a_question_to_the_bot_is_known_by_letters_that_look_like_its_own() -> None:
    assert heard(said("/m\u043e\u0501el".replace("\u0501", "d"))).ask == Command("model")
    assert heard(said("／help！")).ask == Command("help")


@pytest.mark.parametrize("text", ["/new", "@cohort_bot /new", "／new", "/n\u0435w!", "/help x"])
def test_no_command_is_given_by_an_edit(text: str) -> None:
    assert ignored(said(text, kind="edited_message", chat=GROUP)) == "a command is not given by an edit"


@pytest.mark.parametrize(
    ("text", "name"), [("/стоп", "stop"), ("/Стоп!", "stop"), ("／停止", "stop"), ("/новый", "new"), ("/新对话", "new")]
)
def test_a_word_for_a_command_is_the_command_in_a_private_chat(text: str, name: str) -> None:
    assert inbound(said(text)).kind == name
    assert inbound(said(f"{text} x")).text == "x"
    assert not heard(said(text, chat=GROUP)).addressed
    assert inbound(said("/стопка")).kind == "message"


@pytest.mark.parametrize(
    ("word", "near"),
    [
        ("hlp", "help"),
        ("nwe", "new"),
        ("enw", "new"),
        ("stpo", "stop"),
        ("hilfe", "help"),
        ("parar", "stop"),
        ("hilf", "help"),
        ("ajud", "help"),
        ("idiomas", "language"),
    ],
)
def test_two_letters_that_changed_places_and_a_word_for_a_command_mean_it(word: str, near: str) -> None:
    assert nearest(word) == near


def test_a_word_that_is_like_no_command_means_none() -> None:
    assert [word for word in ("now", "xyz", "weather", "wen7", "no") if nearest(word)] == []


@pytest.mark.parametrize("name", [*CONTROL, "model", "help", "hlep", "start", "deny", "resume", "unknown"])
@pytest.mark.parametrize("argument", ["", " 7"])
def test_a_command_that_names_another_bot_is_not_obeyed_in_a_private_chat_and_reaches_the_agent(
    name: str, argument: str
) -> None:
    text = f"/{name}@Other_Bot{argument}"
    found = heard(said(text))
    assert (found.ask, found.inbound.kind, found.inbound.text, found.inbound.start) == (None, "message", text, None)
    assert ignored(said(text, chat=GROUP)) == "a command for another bot"


def test_a_pairing_code_reaches_no_agent_also_behind_another_bots_name() -> None:
    found = heard(said(f"/start@other_bot pair-{'a' * 24}"))
    assert (found.ask, found.inbound.text) == (CODE, "")


@pytest.mark.parametrize(
    "words",
    [
        {"text": "/model @cohort_bot"},
        {"text": "@cohort_bot, /model"},
        {"text": "@cohort_bot \u2014 /model"},
        {"caption": "/model@cohort_bot", "photo": []},
        {"caption": "@cohort_bot: /model@cohort_bot", "photo": []},
    ],
)
def test_a_question_to_the_bot_is_known_wherever_it_is_called(words: dict[str, Any]) -> None:
    found = heard(said(chat=GROUP, **words))
    assert (found.addressed, found.ask and (found.ask.name, found.ask.argument)) == (True, ("model", ""))


def test_a_caption_asks_the_bot_only_in_groups() -> None:
    assert heard(said(caption="/model@cohort_bot", photo=[])).ask is None
    assert not heard(said(caption="/model", photo=[], chat=GROUP)).addressed


def test_none_of_ours_and_none_of_the_agents_is_a_mistyped_one() -> None:
    agents = ("rol", "roll", "stopp")
    assert [name for name in (*CONTROL, *ASKS) if nearest(name, agents)] == []
    assert [name for name in agents if nearest(name, agents)] == []
