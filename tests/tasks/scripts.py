"""Every script of the store with arguments that it takes, and the keys that it finds."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from redis import Redis

from tasks import store
from tasks.store.connection.redis import script

LUA = Path(store.__file__).parent / "lua"

ENTRY = json.dumps({"v": 1, "session": "7:1", "update_id": 1, "at": 5.0})
FRACTION = json.dumps({"v": 1, "session": "7:1", "update_id": 2, "at": 6.5})
LETTER_ID = "5-1"
PLAN: Mapping[str, Any] = {
    "drop": 1,
    "then": [ENTRY],
    "set": ["agent", "a"],
    "unset": ["together"],
    "add": {"input_tokens": 3, "turns": 1},
    "usage": [{"set": ["held:7:1", ""], "add": {"input_tokens": 3}}],
    "replies": ['{"v": 1}'],
    "dead": ['{"v": 1}'],
    "history": True,
    "after": "c0",
}
CHARGES: list[Any] = [{"set": [], "add": {"input_tokens": 3}}, {"set": ["held:7:1", ""], "add": {"output_tokens": 3}}]
KEPT_PLAN: Mapping[str, Any] = {
    "set": ["tries", "1"],
    "add": {"input_tokens": 3},
    "usage": [{"set": ["held:7:1", ""], "add": {"input_tokens": 3}}],
}
MARK = "1 1 turn nonce"
FETCH_PLAN: Mapping[str, Any] = {"set": ["agent", "a"], "head": ["tries", "1"], "replies": ['{"v": 1}']}

STATE = {"owner": "w-one", "epoch": "3", "tries": "1", "commit": "c0", "input_tokens": "10", "turns": "1"}


@dataclass(frozen=True)
class Step:
    """A script, and a case in which it writes. ``seed``: what stands there; ``plans``: arguments that are JSON."""

    name: str
    keys: Sequence[str]
    args: Sequence[str]
    seed: Mapping[str, Any]
    plans: Mapping[int, Mapping[str, Any]] = field(default_factory=dict)

    @property
    def source(self) -> str:
        return script(self.name)


def put(redis: Redis, name: str, value: Any) -> None:
    """A dict is a hash, a list a list, a tuple a sorted set, bytes a string, text a stream's only entry."""
    match value:
        case dict():
            redis.hset(name, mapping=value)
        case list():
            redis.rpush(name, *value)
        case tuple():
            redis.zadd(name, dict.fromkeys(value, 5.5))
        case str():
            redis.xadd(name, {"letter": value}, id=LETTER_ID)
        case _:
            redis.set(name, value)


ALIVE = {"own": b"{}"}
SESSION = {"state": STATE, "inbox": [ENTRY, FRACTION], "outbox": [], "pending": ("7:1",)}
USAGE = {"usage": {"input_tokens": "7"}}
OLD = {
    "old:state": STATE,
    "old:inbox": [ENTRY],
    "old:outbox": ['{"v": 1}'],
    "old:pending": ("7:2",),
    "old:notes": {"a": "b"},
}
NEW = {"state": {**STATE, "awaits": "7:2"}, "inbox": [FRACTION], "pending": ("7:1",), "notes": {"c": "d"}}
ADVANCE = ["state", "inbox", "outbox", "pending", "parked"]
ITEM = ["41", "message", "7:1", ENTRY, "doorbell", ""]
CONTROL = ["42", "control", "7:1", ENTRY, "", "{}"]

STEPS = (
    Step(
        "accept",
        ["seen", "dead", "replies", *["inbox", "pending", "queue"] * 2, *["seen"] * 6],
        [
            *["100.5", "1000", "9", "100", "10", "5"],
            *ITEM,
            *CONTROL,
            *["43", "none", "", "", "", "{}"],
            *["44", "dead", "", "{}", "", ""],
        ],
        {
            "seen": ("40",),
            "inbox": [ENTRY],
            "pending": ("7:1",),
            "queue": ["doorbell"],
            "dead": "{}",
            "replies": ["{}"],
        },
    ),
    Step("advance", ADVANCE, ["w-one", "3", "7:1", "64", "1", "", "", "0"], SESSION),
    Step("advance", ADVANCE, ["w-one", "3", "7:1", "64", "1", "2", "", "0"], {"state": STATE, "pending": ("7:1",)}),
    Step("advance", ADVANCE, ["w-one", "3", "7:1", "64", "0", "1", "2", "900.5"], {**SESSION, "parked": ("7:2",)}),
    Step("assign", ["assignment"], ["4", "0", "w-one", "1", "w-two"], {"assignment": {"version": "4", "0": "w-two"}}),
    Step(
        "claim",
        ["state", "inbox", "outbox", "own", "previous"],
        ["w-two", "w-one", "64", "3"],
        {**SESSION, **ALIVE},
    ),
    Step(
        "commit",
        ["state", "inbox", "outbox", "pending", "dead", "journal", "usage"],
        ["w-one", "3", "c1", "7:1", json.dumps(PLAN), "history", "100", "1000"],
        {**SESSION, **USAGE, "dead": "{}", "outbox": ['{"v": 1}'], "journal": ["{}"]},
        {4: PLAN},
    ),
    Step(
        "delivered",
        ["state", "outbox", "answers"],
        ["w-one", "3", '{"v": 1}', "10:1:"],
        {"state": STATE, "outbox": ['{"v": 1}', "{}"]},
    ),
    Step("drop_head", ["list"], ["a"], {"list": ["a", "b"]}),
    Step(
        "fetch",
        [
            *["state", "inbox", "outbox", "pending", "notes"],
            *["old:state", "old:inbox", "old:outbox", "old:pending", "old:notes", "liveness"],
            *["old:journal", "earlier", "old:earlier"],
        ],
        ["w-one", "3", "7:1", "7:2", "w-one", "3", "100.5", json.dumps(FETCH_PLAN), "history", "c0"],
        {**OLD, **NEW},
        {7: FETCH_PLAN},
    ),
    Step(
        "erase",
        ["state", "pending", "parked", "inbox", "outbox", "notes"],
        ["7:1", "", "0"],
        {**SESSION, "notes": {"a": "b"}, "parked": ("7:1",)},
    ),
    Step(
        "erase",
        ["state", "pending", "parked", "inbox", "outbox", "notes"],
        ["7:1", "100", "200"],
        {"state": {"epoch": "3", "touched": "50"}, "notes": {"a": "b"}},
    ),
    Step("swap_login", ["logins"], ["calendar", "old", "new"], {"logins": {"calendar": "old"}}),
    Step(
        "set_aside",
        ["state", "earlier"],
        ["w-one", "3", "c0", "index", "new", "2", "1"],
        {"state": {**STATE, "history": "h"}, "earlier": {"index": "old", "1": "h"}},
    ),
    Step("strike_earlier", ["earlier"], ["index", "old", "new", "3", "h"], {"earlier": {"index": "old", "3": "g"}}),
    Step("purge", ["dead"], [LETTER_ID], {"dead": "{}"}),
    Step(
        "strike",
        ["state", "inbox", "journal", "pending", "parked"],
        ["h", "h2", "[1]", "[]", "[2]", "[]", "t", "u", "7:1", "100.5", "1", ENTRY, FRACTION],
        {
            **SESSION,
            "state": {**STATE, "history": "h", "failed": "[1]", "unanswered": "[2]", "conversation": "t"},
            "journal": ["{}"],
            "parked": ("7:1",),
        },
    ),
    Step("forget", ["members", "liveness"], ["w-one"], {"members": {"w-one": "{}"}}),
    Step("evict", ["state", "outbox", "live"], ["w-one", "3", "-2"], {"state": STATE}),
    Step(
        "stand_in",
        ["state", "inbox", "outbox", "live", "replies"],
        ["w-one", "3", "-2", FRACTION, FRACTION[:-1] + ', "told": true}', '{"v": 1}'],
        {"state": STATE, "inbox": [ENTRY, FRACTION]},
    ),
    Step("told_in", ["state", "inbox"], ["77"], {"state": {"drafted": "c0\nwords"}, "inbox": [ENTRY]}),
    Step("handoff", ["state"], ["w-one", "3", "0"], {"state": STATE}),
    Step(
        "journal",
        ["state", "journal", "usage"],
        ["w-one", "3", "c0", MARK, "", "0", json.dumps(KEPT_PLAN), "1000", "{}", '{"k": "begun"}'],
        {"state": STATE, "journal": ["{}"], **USAGE},
        {6: KEPT_PLAN},
    ),
    Step(
        "journal",
        ["state", "journal", "usage"],
        ["w-one", "3", "c0", MARK, "", "1", json.dumps(KEPT_PLAN), "1000", "{}"],
        {"state": {**STATE, "journal": MARK}, "journal": ["{}"], **USAGE},
        {6: KEPT_PLAN},
    ),
    Step("album", ["album"], ["7", ENTRY, "10", "60"], {"album": {"6": ENTRY}}),
    Step("album", ["album"], ["8", "", "10", "60"], {"album": {"6": ENTRY, "7": ENTRY}}),
    Step("bring", ["kept", "brought"], ["600"], {"kept": ["6 {}", "7 {}"]}),
    Step("overheard_moved", ["old", "kept"], ["2", "60"], {"old": ["5 {}"], "kept": ["6 {}", "7 {}"]}),
    Step("overhear", ["kept", "seen"], ["8", "4", "{}", "", "2", "60"], {"kept": ["6 {}", "7 {}"], "seen": ("7",)}),
    Step("overhear", ["kept", "seen"], ["8", "7", '{"a": 1}', "1", "2", "60"], {"kept": ["6 {}", "7 {}"]}),
    Step("lease", ["lease"], ["one", "5000"], {}),
    Step(
        "mend",
        ["dead", "inbox", "state"],
        ['{"v": 1}', "100", "list", "hash"],
        {"dead": "{}", "inbox": {"not": "a list"}, "state": STATE},
    ),
    Step(
        "move",
        ["state", "inbox", "pending", "new:state", "new:pending", "parked"],
        ["w-one", "3", "7:1", "7:2", "100.5", ENTRY],
        {**SESSION, "new:state": STATE, "new:pending": ("7:2",), "parked": ("7:1",)},
    ),
    Step("note", ["state"], ["w-one", "3", "live", "9"], {"state": STATE}),
    Step(
        "pace",
        ["bot", "chat", "bot:penalty", "chat:penalty", "line"],
        ["1000000", "1", "1000", "100", "5000", "100", "1500", "2000", "0"],
        {"bot": b"900000", "chat": b"900000", "bot:penalty": b"5", "chat:penalty": b"5", "line": b"900000"},
    ),
    Step(
        "remind",
        ["reminders", "inbox", "pending", "counted"],
        [ENTRY, "7:1", "100.5"],
        {"reminders": (ENTRY,), "inbox": [FRACTION], "pending": ("7:1",), "counted": (ENTRY,)},
    ),
    Step(
        "charge",
        ["chat", "user"],
        ["7:1", "c1", json.dumps(CHARGES), "1000"],
        {"chat": {"input_tokens": "7", "charged:7:1": "c0"}, "user": {"output_tokens": "7"}},
    ),
    Step(
        "reserve",
        ["chat", "user"],
        ["7:1", "100.5", "200.5", "1000", "90", "10", "90", "10"],
        {"chat": {"input_tokens": "7", "held:7:2": "5 150"}, "user": {"output_tokens": "7", "held:7:3": "5 50"}},
    ),
    Step(
        "readdress",
        ["reminders", "session", "new:session"],
        [ENTRY, FRACTION],
        {"reminders": (ENTRY,), "session": (ENTRY,), "new:session": (ENTRY,)},
    ),
    Step("cancel", ["reminders", "counted"], [ENTRY], {"reminders": (ENTRY,), "counted": (ENTRY,)}),
    Step(
        "schedule",
        ["reminders", "session", "chat"],
        [ENTRY, "9000.5", "100.5", "10", "5", "5"],
        {"reminders": (FRACTION,), "session": (FRACTION,)},
    ),
    Step(
        "pair",
        ["pairing", "people"],
        ["d1", "701", '{"role":"owner"}', "changes"],
        {"pairing": {"digest": "d1", "role": "owner"}, "people": {"changes": "3", "700": "{}"}},
    ),
    Step(
        "requeue",
        ["dead", "inbox", "pending"],
        [LETTER_ID, "7:1", ENTRY, "100.5"],
        {"dead": "{}", "inbox": [FRACTION], "pending": ("7:1",)},
    ),
)
