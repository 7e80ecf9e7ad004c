"""The fields of a session's state hash: their names stand here, for Python and for the scripts.

A member's name says what the field holds; its value is the field in Redis. That one does not change: workers of two
releases read the same hash. A script writes ``STATE.batch_size``, for which
``tasks.store.connection.redis`` sends ``'together'``.
"""

import re
from enum import StrEnum

from tasks.text import is_digits


class StateField(StrEnum):
    """A field of ``cohort:{bot}:{chat}:state``, with what it holds as text."""

    owner = "owner"
    """The incarnation that owns the session; no field when it is released."""
    epoch = "epoch"
    """The fence: grows with each change of owner, and outlives the owner."""
    tries = "tries"
    """How often the head of the inbox was begun: claimed once, and further times ran; goes with the head."""
    resets = "resets"
    """A turn's name, and how often a finished step has reset its ``tries`` (``workers.sessions.ownership.tries``)."""
    commit = "commit"
    """The id of the last commit: the same one, sent twice, is done once."""
    journal = "journal"
    """The mark of the running turn's journal, which tells a stale journal from its own."""
    parked = "parked"
    """JSON: the questions of a turn that waits for people (``tasks.chats.asking``)."""
    asked = "asked"
    """The messages that show these questions, by their ids."""
    held = "held"
    """JSON: the question of the running turn whose call stays open (``tasks.chats.asking.HeldQuestion``)."""
    refused = "refused"
    """The name of the running turn, and the update ids that it does not answer: their allowances were used up."""
    over_budget = "over_budget"
    """Who was told lately that an allowance is used up, and when (``workers.sessions.turns.refusals``)."""
    standing = "standing"
    """What people's last turns were refused that is true of further messages, and when they were told
    (``workers.sessions.turns.standing_refusals``)."""
    stood_in = "stood_in"
    """What the bot called the last exchange, whose end it told in a worker's place, and its name, with a blank between
    (``workers.sessions.commands.again``)."""
    waits = "waits"
    """1: the chat was told that its messages wait for a process of its own; goes with the head of the inbox."""
    allowed = "allowed"
    """JSON list: the tools that people of the chat always allow."""
    history = "history"
    """The conversation as the runtime writes it (bytes)."""
    conversation = "conversation"
    """JSON: number and title of the conversation that goes on (``tasks.chats.conversations.Current``)."""
    said = "said"
    """JSON: what the last messages said that left the inbox, for edits that come later."""
    live = "live"
    """The Telegram message that shows the running turn; its first, when there are several."""
    live_more = "live_more"
    """``live``, a colon, and the further messages that show it; of another ``live`` it is stale."""
    drafted = "drafted"
    """The id of the commit before it, a line break, and the words that the running turn shows as a draft, Markdown: no
    message has them, and Telegram does not tell them again (``workers.sessions.turns.kept_draft``)."""
    told_in = "told_in"
    """The same id, a line break, and the bot's message that told in a worker's place that this turn is stopped."""
    start = "start"
    """The payload of the link by which a person came last, once a turn has answered it."""
    agent = "agent"
    """The chat's choice; no field means the default agent."""
    model = "model"
    """The chat's choice; no field means the agent's model."""
    queue = "queue"
    """The chat's choice of what happens to messages while a turn runs (``tasks.chats.choices``)."""
    steps = "steps"
    """The chat's choice of what stays of a turn's steps (``tasks.chats.choices``)."""
    thinking = "thinking"
    """The chat's choice of what it sees of a model's thoughts (``tasks.chats.choices``)."""
    language = "language"
    """The chat's choice of what the bot's own words are in (``tasks.chats.choices``)."""
    tongue = "tongue"
    """The language of the person who was answered last, where it is not English: for what is said of ourselves."""
    voice = "voice"
    """The chat's choice whether answers are spoken, too (``tasks.chats.choices``)."""
    input_tokens = "input_tokens"
    """Counter of the session's life."""
    output_tokens = "output_tokens"
    """Counter of the session's life."""
    heard_seconds = "heard_seconds"
    """Counter of the session's life: of recordings that were written down, where their server counts no tokens."""
    spoken_characters = "spoken_characters"
    """Counter of the session's life."""
    turns = "turns"
    """Counter of the session's life."""
    batch_size = "together"
    """How many inbox entries the last turn was begun with; of use when it never ended."""
    isolate_next = "suspects"
    """How many of the next entries were in a batch whose turn crashed a worker; they are retried one by one."""
    touched = "touched"
    """When its last turn was committed (seconds since the epoch): a session that rests too long is erased."""
    retry_batch = "failed"
    """JSON list: the messages of turns that were given up for an outage; /retry runs them again."""
    unanswered = "unanswered"
    """The last turn gave no answer: JSON list of its messages, or ``batch`` where they stand in ``retry_batch``."""
    pressed = "pressed"
    """The Retry or Undo button that was carried out last, and its message: pressed again, it does and says nothing."""
    migrating_from = "awaits"
    """The session of the group that became this supergroup, while its work is not fetched."""
    migrated_to = "moved"
    """The session that this one continues as: its group became a supergroup."""
    migration_done = "fetched"
    """1 when ``migrated_to`` took over what was here; what comes later goes behind its own."""


OF_THE_HEAD = (
    StateField.journal,
    StateField.parked,
    StateField.asked,
    StateField.held,
    StateField.refused,
    StateField.resets,
    StateField.waits,
)
"""Fields of the state that are of the messages at the head, and go when they do."""


def shown_in(live: bytes, live_more: bytes) -> tuple[int, ...]:
    """The messages that show a turn which never ended, from the two fields."""
    first = live.decode(errors="replace")
    of, _, further = live_more.decode(errors="replace").partition(":")
    # A release that knows one message alone leaves the further ones of an older answer here.
    numbers = (first, *(further.split(",") if of == first else ()))
    return tuple(int(number) for number in numbers if is_digits(number)) if is_digits(first) else ()


def with_fields(script: str) -> str:
    """A script with the names of fields in place of ``STATE.…``.

    Raises:
        KeyError: there is no such field.
    """
    return re.sub(r"\bSTATE\.(\w+)", lambda found: f"'{StateField[found[1]].value}'", script)
