"""The catalogue of texts: what a worker says to a user itself, in plain words.

What a model's faults are called stands with their table (``workers.runtime.faults``).
"""

import re
from collections.abc import Mapping

from tasks.asking import LOGGED_IN, GivenAnswer, OpenQuestion

NEW_CONVERSATION = "New conversation."
SET_ASIDE = "The one before it is kept, and /sessions lists it."
ENDED = "Stopped."
INTERRUPTED = "(Interrupted.)"
TAKEN_BACK = "Taken back: I have forgotten your last message and my answer. What tools have done stays done."
NOTHING_TO_TAKE_BACK = "There is nothing to take back."
NOT_THE_LAST = "This button is for an earlier message, and others have come since, so I have left all as it is."
NOTHING_TO_RETRY = "There is nothing to try again."
POISON = (
    "Sorry, this message stopped me three times, so I have set it aside and told the operator. "
    "You can go on with something else."
)
UNREADABLE = "Sorry, one message reached me damaged and was set aside."
UNSENT = "Sorry, a reply could not be sent as it was. It was noted for the operator."
OUTAGE = "Sorry, the model cannot be reached right now. I tried several times."
PRESS_RETRY = "Press Retry in a while."
DEFECT = "Sorry, something went wrong on my side while I worked on this. It was noted for the operator."
CUT = "(The answer reached its length limit. Ask me to go on.)"
CHAIN_ENDED = "Reminders that had set one another were cancelled."
CANCEL_REMINDERS = "Cancel the reminders"
CANCEL_REMINDERS_DATA = "reminders:cancel"
MAY_I = "May I do this?"
MAY_HAVE_HAPPENED = (
    "I was interrupted while I did this, so it may have happened already. Please look before you let me do it again."
)
WITHDRAWN = "Withdrawn."
OVER = "This question is over."
NOT_ANSWERED = "No answer came in time."
NO_ANSWER_CAME = "I asked you something and got no answer in time, so I have left it. Write to me to begin again."
RETRY = "Retry"
RETRY_DATA = "retry"
UNDO = "Undo"
UNDO_DATA = "undo"


def answered(question: OpenQuestion, given: GivenAnswer, *, named: bool) -> str:
    """Below a question: what became of it; ``named``: with who answered."""
    by = f" ({given.by})" if named and given.by else ""
    match given.verdict:
        case "once":
            return f"Allowed once.{by}"
        case "always":
            return f"Allowed, from now on always in this chat.{by}"
        case "no":
            return f"Denied.{by}"
        case verdict if question.login and verdict == LOGGED_IN:
            return "Logged in."
        case _ if question.kind == "ask" and given.verdict:
            return f"Answer: {given.words}{by}"
        case _ if question.kind == "ask":
            return f"Answered.{by}" if given.plain else f"Not answered: something else came.{by}"
        case _:
            return f"Not allowed: you wrote something else.{by}"


def stopped(set_aside: int) -> str:
    """After /stop; ``set_aside`` messages were waiting or at work."""
    if set_aside == 0:
        return "There was nothing to stop."
    return "Stopped." if set_aside == 1 else f"Stopped, and set aside {set_aside} messages."


def new_conversation(set_aside: int) -> str:
    """After /new; ``set_aside`` messages were waiting or at work."""
    match set_aside:
        case 0:
            return NEW_CONVERSATION
        case 1:
            return f"{NEW_CONVERSATION} Your last message was set aside."
        case _:
            return f"{NEW_CONVERSATION} {set_aside} messages were set aside."


def resumed(title: str) -> str:
    """After /resume."""
    return f"We're back in: {title}"


def titled(title: str) -> str:
    """After /title."""
    return f"This conversation is now called: {title}"


def still_set(reminders: int) -> str:
    """After /new."""
    what = "One reminder is" if reminders == 1 else f"{reminders} reminders are"
    return f"{what} still set here; /reminders shows them."


def chosen(choice: Mapping[str, str]) -> str:
    """After /model or /agent; an empty value goes back to the default."""
    chosen = [f"{name} {value}" if value else f"the default {name}" for name, value in sorted(choice.items())]
    return f"From now on: {', '.join(chosen)}."


def over_budget(whose: str, *, held: bool = False) -> str:
    """``whose``: "your" or "this chat's". ``held``: what is left may go to answers that are being worked on."""
    if held:
        return f"The rest of today's allowance for {whose} use is kept for what I am working on. Try again in a moment."
    return f"Today's allowance for {whose} use is used up. It starts again at midnight UTC."


def stand_in(model: str | None) -> str:
    """Under the first answer of a conversation: that no real model gave it. Empty when one did."""
    match model:
        case "passthrough":
            return "(No model answers here: fast-agent's passthrough echoes your words. Set a model or a key.)"
        case "generic.demo.script":
            return "(A script answers here, not a model. Set a model or a key for a real one.)"
        case str() if "SmolLM2-135M" in model:
            return "(This is SmolLM2-135M, a toy model on this machine. Set a model or a key for a real one.)"
        case _:
            return ""


# -- notices under an answer, and what became of files and choices

BROKE_OFF = "(This answer may be cut off: the model didn't say that it was done. Ask me to go on.)"
SEE_FILE = "The whole answer is in the file below."
FILE_GONE = "Telegram no longer has this file; please send it again."
FILE_NOT_HANDED_OUT = "This file is too large: Telegram does not hand it out to bots."


def file_too_large(mib: float, most: int) -> str:
    """A file beyond what is fetched from Telegram."""
    return f"This file is too large ({mib:.0f} MiB): I can read files of up to {most} MiB."


def too_many_files(files: int, mib: int) -> str:
    """The files of one turn go beyond what may be opened."""
    return f"I can open {files} files and {mib} MiB at once, so I skipped the rest. Send them in smaller groups."


def left_out(what: str, instead: str = "") -> str:
    """``what`` the model cannot do with a file: "read images"; ``instead``: the formats that it can, if there are."""
    return f"This model can't {what}, so I skipped yours." + (f" Send it as {instead}." if instead else "")


FILE_LOCKED = "I can't open this file: it has a password, or is in an old format. Send it as PDF or DOCX, or as text."
FILE_DAMAGED = "I can't read this file: it's damaged, or too big inside. Send it as PDF or as text."
FILE_WITHOUT_WORDS = "I found no words in this file."
NOT_HEARD = "I couldn't listen to your recording just now. Please write it, or send it again later."
NO_WORDS_HEARD = "I couldn't make out any words in your recording."
LISTENING = "Listening"


def recording_too_long(minutes: int) -> str:
    """A recording beyond what is listened to."""
    return f"I can listen to recordings of up to {minutes} minutes, so I skipped yours."


def files_left_out(count: int) -> str:
    """Files of a turn that do not reach the chat."""
    return "I left out a file that was too large, or one too many." if count == 1 else f"I left out {count} files."


def no_such_agent(agent: str, default: str) -> str:
    """The session's agent is no longer there."""
    return f"The agent {agent} isn't available any more, so {default} answers from now on."


def no_such_model(model: str) -> str:
    """The session's model is no longer offered."""
    return f"The model {model} isn't available any more, so the default model answers from now on."


def model_does_not_apply(agent: str, model: str) -> str:
    """The session's agent has no model of its own."""
    return f"{agent} doesn't call a model from here, so your choice of {model} doesn't apply. I've reset it."


def compacted(before: int, after: int, *, part: bool) -> str:
    """After /compact; ``part``: the summary holds only a part of what is gone."""
    if before == after:
        return "There's nothing to shorten yet."
    what = "part of the rest" if part else "the rest"
    return f"Done: {before} messages became {after}. I remember {what} as a summary."


# -- what a turn does, while it runs

THINKING = "Thinking"
ANOTHER_TRY = "Another try"
STOP = "Stop"
STOP_DATA = "stop"
_LONGEST_NAME = 48
_NO_BREAK = "\N{NO-BREAK SPACE}"
"""Between a number and its unit: a phone's narrow line would end there."""
_TOOLS = {
    "current_time": "Look at the clock",
    "get_current_time": "Look at the clock",
    "remember": "Take a note",
    "recall": "Read my notes",
    "remind_me": "Set a reminder",
    "execute": "Run a command",
    "execute_python": "Run Python",
}
"""Tools that people meet often."""
_INSTANCE = re.compile(r"\[\d+\]\Z")
"""fast-agent's number of an agent that runs as a tool."""
_WORD_ENDS = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|[\s_./:-]+")


def tool_in_words(tool: str) -> str:
    """A tool's name for people: ``web__fetchPage`` is "Fetch page"."""
    name = tool.rpartition("__")[2] or tool
    words = _WORD_ENDS.split("".join(filter(str.isprintable, _INSTANCE.sub("", name))))
    plain = " ".join(word if word.isupper() else word.lower() for word in words if word)[:_LONGEST_NAME].strip()
    return _TOOLS.get(name) or (plain[0].upper() + plain[1:] if plain else "Tool")


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
    return f"… and {count} more"


def so_many_of(done: str, total: str) -> str:
    """How far a tool call is."""
    return f"{done}{_NO_BREAK}of{_NO_BREAK}{total}"


def percent(part: int) -> str:
    """The same, where it counts to 1 or 100."""
    return f"{part}{_NO_BREAK}%"


def lasted(seconds: int) -> str:
    """How long something takes."""
    minutes, rest = divmod(seconds, 60)
    short = f"{rest}{_NO_BREAK}s"
    return f"{minutes}{_NO_BREAK}min{_NO_BREAK}{short}" if minutes else short
