"""What a worker itself says, where it is more than one phrase, and a tool's name in plain words.

What a model's faults are called stands with their table (``workers.runtime.faults.classify``).
"""

import re
from collections.abc import Mapping
from math import ceil
from typing import Literal

from tasks import stopping
from tasks.chats.asking import LOGGED_IN, GivenAnswer, OpenQuestion
from tasks.chats.choices import switched
from tasks.envelope import Button
from tasks.phrases import phrase, sentences

CANCEL_REMINDERS_DATA = "reminders:cancel"
RETRY_DATA = "retry"
STOP_DATA = "stop"


def answered(question: OpenQuestion, given: GivenAnswer, *, named: bool) -> str:
    """Below a question: what became of it; ``named``: with who answered."""
    said = _became(question, given)
    return phrase("answered-by", said=said, by=given.by) if named and given.by else said


def _became(question: OpenQuestion, given: GivenAnswer) -> str:
    match given.verdict:
        case "once":
            return phrase("allowed-once")
        case "always":
            return phrase("allowed-always")
        case "no":
            return phrase("denied")
        case verdict if question.login and verdict == LOGGED_IN:
            return phrase("logged-in")
        case _ if question.kind == "ask" and given.verdict:
            return phrase("answered-with", words=given.words)
        case _ if question.kind == "ask":
            return phrase("answered") if given.plain else phrase("not-answered-else")
        case _:
            return phrase("not-allowed-else")


def retry_button() -> tuple[tuple[Button, ...], ...]:
    """Under the words about an outage."""
    return ((Button(text=phrase("button-retry"), data=RETRY_DATA),),)


def given_up(words: str, *, outage: bool, told: bool, retry: bool) -> str:
    """An apology for an outage, or for what an operator has to mend, in ``words``.

    Args:
        words: What is wrong.
        outage: It passes.
        told: There are operators, and an alert told them.
        retry: A button for another try stands below it.
    """
    if outage:
        return sentences(phrase("outage"), phrase("press-retry") if retry else "")
    return sentences(words, phrase("told-operator") if told else "")


def stopped(set_aside: int) -> str:
    """After /stop; ``set_aside`` messages were waiting or at work."""
    return stopping.stopped(set_aside)


def resumed(title: str) -> str:
    """After /resume."""
    return phrase("conversation-resumed", title=title)


def still_set(reminders: int) -> str:
    """After /new."""
    return phrase("reminders-still-set", count=reminders)


def chosen(choice: Mapping[str, str]) -> str:
    """After /model, /agent and the like; an empty value goes back to the default."""
    return sentences(*(switched(name, value) for name, value in sorted(choice.items())))


def over_budget(whose: Literal["person", "chat"], *, held: bool = False) -> str:
    """``held``: what is left may go to answers that are being worked on."""
    if held:
        return phrase("over-budget-held")
    return phrase("over-budget-you") if whose == "person" else phrase("over-budget-chat")


def stand_in(model: str | None) -> str:
    """Under the first answer of a conversation: that no real model gave it. Empty when one did."""
    match model:
        case "passthrough":
            return phrase("stand-in-echo")
        case "generic.demo.script":
            return phrase("stand-in-script")
        case str() if "SmolLM2-135M" in model:
            return phrase("stand-in-toy")
        case _:
            return ""


# -- notices under an answer, and what became of files and choices


def file_too_large(mib: float, most: int) -> str:
    """A file beyond what is fetched from Telegram."""
    return phrase("file-too-large", size=ceil(mib), most=most)


def too_many_files(files: int, mib: int) -> str:
    """The files of one turn go beyond what may be opened."""
    return phrase("too-many-files", count=files, size=mib)


def recording_too_long(minutes: int) -> str:
    """A recording beyond what is listened to."""
    return phrase("recording-too-long", count=minutes)


def files_left_out(count: int, unkept: int) -> tuple[str, ...]:
    """Files of a turn that do not reach the chat, and those that there is no room for."""
    left_out = (phrase("files-left-out", count=count),) if count else ()
    return (*left_out, phrase("files-unkept", count=unkept)) if unkept else left_out


def no_such_agent(agent: str, default: str) -> str:
    """The session's agent is no longer there."""
    return phrase("agent-gone", agent=agent, default=default)


def no_such_model(model: str) -> str:
    """The session's model is no longer offered."""
    return phrase("model-gone", model=model)


def model_does_not_apply(agent: str, model: str) -> str:
    """The session's agent has no model of its own."""
    return phrase("model-not-applied", agent=agent, model=model)


def compacted(before: int, after: int, *, part: bool) -> str:
    """After /compact; ``part``: the summary holds only a part of what is gone."""
    if before == after:
        return phrase("nothing-to-compact")
    about = {"before": before, "after": after}
    return phrase("compacted-part", **about) if part else phrase("compacted", **about)


# -- what a turn does, while it runs

_LONGEST_NAME = 48
_NO_BREAK = "\N{NO-BREAK SPACE}"
"""Between a number and its unit: a phone's narrow line would end there."""
_INSTANCE = re.compile(r"\[\d+\]\Z")
"""fast-agent's number of an agent that runs as a tool."""
_WORD_ENDS = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|[\s_./:-]+")


def _often_met(name: str) -> str:
    """A tool that people meet often, in words."""
    match name:
        case "current_time" | "get_current_time":
            return phrase("tool-clock")
        case "remember":
            return phrase("tool-remember")
        case "recall":
            return phrase("tool-recall")
        case "remind_me" | "remind_again":
            return phrase("tool-remind")
        case "execute":
            return phrase("tool-command")
        case "execute_python":
            return phrase("tool-python")
        case _:
            return ""


def tool_in_words(tool: str) -> str:
    """A tool's name for people: ``web__fetchPage`` is "Fetch page"."""
    name = tool.rpartition("__")[2] or tool
    words = _WORD_ENDS.split("".join(filter(str.isprintable, _INSTANCE.sub("", name))))
    plain = " ".join(word if word.isupper() else word.lower() for word in words if word)[:_LONGEST_NAME].strip()
    return _often_met(name) or (plain[0].upper() + plain[1:] if plain else phrase("tool"))


STEP_MARKS = ("→ ", "✓ ", "✗ ")
"""A line about a step begins with one of them."""


def under_way(what: str, *about: str) -> str:
    """A line for what goes on: how far it is, how long it takes."""
    return " · ".join(filter(None, (f"→ {what}", *about)))


def step_done(what: str, took: str) -> str:
    """A line for a tool call that has ended."""
    return " · ".join(filter(None, (f"✓ {what}", took)))


def step_failed(what: str, took: str) -> str:
    """A line for a tool call that failed."""
    return " · ".join(filter(None, (f"✗ {what}", took)))


def steps_done(names: str, took: str) -> str:
    """All tool calls of a turn in one line."""
    return " · ".join(filter(None, (f"✓ {names}", took)))


def more_steps(count: int) -> str:
    """For those that are not listed."""
    return phrase("more-steps", count=count)


def so_many_of(done: str, total: str) -> str:
    """How far a tool call is."""
    return phrase("part-of", done=done, total=total).replace(" ", _NO_BREAK)


def percent(part: int) -> str:
    """The same, where it counts to 1 or 100."""
    return f"{part}{_NO_BREAK}%"


def lasted(seconds: int) -> str:
    """How long something takes."""
    minutes, rest = divmod(seconds, 60)
    took = (
        phrase("lasted-minutes", minutes=minutes, seconds=rest) if minutes else phrase("lasted-seconds", seconds=rest)
    )
    return took.replace(" ", _NO_BREAK)
