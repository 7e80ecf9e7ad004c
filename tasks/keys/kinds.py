"""The kinds of Redis keys: type, lifetime, and whether a backup has them (values only)."""

from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Literal

PREFIX = "cohort:"

LOGINS = f"{PREFIX}bot:*:logins:*"
LETTERS = f"{PREFIX}bot:*:dead"
ZONES = f"{PREFIX}bot:*:zones"
OVERHEARD = f"{PREFIX}bot:*:overheard:*"
BROUGHT = f"{PREFIX}bot:*:brought:*"
ALBUM = f"{PREFIX}bot:*:album:*"

type Lifetime = Literal["permanent", "expires", "empties"]
"""Permanent is declared to stay; what expires always has a TTL; what empties, Redis removes with its last element."""
type Backup = Literal[
    "first",  # before the sessions: what leaves it for an inbox meanwhile is then in both and not in neither
    "session",  # with all of its session, at one moment
    "last",  # after the sessions
    "no",  # who works now, or what is made again without it
]


@dataclass(frozen=True, slots=True)
class KeyKind:
    """One kind of key; its pattern is a glob."""

    pattern: str
    type: Literal["string", "list", "hash", "zset", "set", "stream"]
    lifetime: Lifetime
    backup: Backup
    """When ``cohort backup`` reads it."""
    purpose: str


KINDS = (
    KeyKind("cohort:s:*:inbox", "list", "empties", "session", "accepted messages, in order"),
    KeyKind("cohort:s:*:outbox", "list", "empties", "session", "replies to deliver"),
    KeyKind("cohort:s:*:state", "hash", "permanent", "session", "owner, history, choices, usage, where it moved"),
    KeyKind("cohort:s:*:journal", "list", "empties", "session", "steps of the turn that runs, until it is committed"),
    KeyKind("cohort:s:*:notes", "hash", "permanent", "session", "what the agent was asked to remember in this session"),
    KeyKind("cohort:s:*:earlier", "hash", "permanent", "session", "conversations that were set aside, and their index"),
    KeyKind("cohort:bot:*:seen", "zset", "expires", "first", "update ids of the last 48 h"),
    KeyKind("cohort:bot:*:poller", "string", "expires", "no", "lease of the polling bot process"),
    KeyKind("cohort:bot:*:replies", "list", "empties", "last", "answers the bot gives without an agent"),
    KeyKind("cohort:bot:*:strangers", "list", "expires", "no", "lines to people who are not admitted"),
    KeyKind("cohort:bot:*:told", "zset", "expires", "no", "strangers who were told so within the hour"),
    KeyKind("cohort:bot:*:asked:*", "string", "expires", "no", "a stranger whom admins have heard of: name, language"),
    KeyKind("cohort:bot:*:people", "hash", "permanent", "first", "who was let in or kept out, and in which role"),
    KeyKind(ZONES, "hash", "permanent", "first", "the time zones of people"),
    KeyKind("cohort:bot:*:typed:*", "list", "expires", "no", "what a person typed behind the bot's name elsewhere"),
    KeyKind(OVERHEARD, "list", "expires", "no", "what a group said that was not for the agent"),
    KeyKind(BROUGHT, "list", "expires", "no", "what an update that is being accepted takes along of it"),
    KeyKind(ALBUM, "hash", "expires", "no", "parts of an album in a group, and whether one names the bot"),
    KeyKind("cohort:bot:*:named:*", "string", "expires", "no", "a topic to which a person gave its name"),
    KeyKind("cohort:bot:*:pairing", "hash", "expires", "no", "digest and role of the pairing code that is valid"),
    KeyKind("cohort:bot:*:guesses", "string", "expires", "no", "pairing codes that were sent within the hour"),
    KeyKind("cohort:bot:*:answers:*", "list", "expires", "last", "a chat's last answers: message, update, topic"),
    KeyKind("cohort:bot:*:feedback", "zset", "expires", "last", "thumbs at answers, by the time they were put there"),
    KeyKind("cohort:bot:*:business", "zset", "permanent", "last", "business accounts that take no answers, by time"),
    KeyKind("cohort:bot:*:closed", "zset", "expires", "last", "chats that take no messages, with the reason, by time"),
    KeyKind(LOGINS, "hash", "permanent", "last", "logins of one person at MCP servers, sealed"),
    KeyKind("cohort:bots", "hash", "expires", "no", "the bot's processes: who polls, and since when"),
    KeyKind("cohort:slot:*:pending", "zset", "empties", "no", "session -> when its oldest work was accepted"),
    KeyKind("cohort:slot:*:parked", "zset", "empties", "no", "sessions that wait for a person -> when given up"),
    KeyKind("cohort:worker:*", "string", "expires", "no", "liveness of one incarnation"),
    KeyKind("cohort:node:*", "string", "expires", "no", "which incarnation has this name in Flower"),
    KeyKind("cohort:members", "hash", "empties", "no", "incarnation -> who it is"),
    KeyKind("cohort:draining", "hash", "expires", "no", "the same of workers that drain, for operators"),
    KeyKind("cohort:assignment", "hash", "permanent", "no", "version, slot -> incarnation"),
    KeyKind("cohort:own:*", "string", "expires", "no", "the incarnation of a session's own process"),
    KeyKind("cohort:own-wanted", "zset", "empties", "no", "sessions that need a process of their own, by since when"),
    KeyKind("cohort:own-hosts", "hash", "expires", "no", "who starts sessions' own processes"),
    KeyKind("cohort:paused", "hash", "empties", "last", "what an operator has paused, and since when"),
    KeyKind("cohort:moved-groups", "hash", "permanent", "first", "supergroups, named in rules as the group they were"),
    KeyKind("cohort:layout", "hash", "permanent", "first", "layout version and slot count of this deployment"),
    KeyKind(LETTERS, "stream", "permanent", "first", "messages of this bot given up on, with the reason"),
    KeyKind("cohort:dead", "stream", "permanent", "first", "those of no known bot, and of an earlier release"),
    KeyKind("cohort:bot:*:trail", "stream", "expires", "no", "its last turns and their times, for `cohort find`"),
    KeyKind("cohort:trail", "stream", "expires", "no", "turns of an earlier release"),
    KeyKind("cohort:recorded", "zset", "permanent", "last", "bots that have dead letters, or turns for `cohort find`"),
    KeyKind("cohort:metrics:*", "string", "expires", "no", "a process's metrics, for the console's /metrics"),
    KeyKind("cohort:rollup:*", "hash", "expires", "no", "what workers did within a minute, or a quarter of an hour"),
    KeyKind("cohort:pace:*", "string", "expires", "no", "send-rate buckets"),
    KeyKind("cohort:usage:*", "hash", "expires", "last", "tokens per day, by user and chat"),
    KeyKind("cohort:reminders", "zset", "empties", "first", "messages to accept later"),
    KeyKind("cohort:reminders:*", "zset", "expires", "first", "the same by session, chat, bot, person, to count them"),
    KeyKind("cohort:reminder-number", "string", "permanent", "last", "how many reminders were ever made"),
    KeyKind("cohort:broadcast:*", "hash", "expires", "last", "how far a broadcast is"),
    KeyKind("cohort:broadcast-left:*", "list", "expires", "last", "chats that a broadcast is still to reach"),
    KeyKind("cohort:broadcast-lease:*", "string", "expires", "no", "which process sends a broadcast"),
    KeyKind("cohort:alert:*", "string", "expires", "no", "operator alerts already raised"),
)


def kind_of(name: str) -> KeyKind | None:
    """How a key is declared, None when it is not one of ours."""
    return next((kind for kind in KINDS if fnmatchcase(name, kind.pattern)), None)
