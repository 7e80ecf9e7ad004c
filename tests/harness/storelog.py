"""The store's own log of writes (its append-only file), read as what was accepted, committed and given up on."""

import json
from collections.abc import Iterator
from pathlib import Path

from tests.harness.history import Accepted, Committed, Dead


def commands(directory: Path) -> Iterator[list[bytes]]:
    """Every write of a Valkey that keeps an append-only file in ``directory`` and never rewrites it, in order."""
    files = sorted(directory.glob("appendonlydir/*.incr.aof"), key=lambda path: int(path.name.split(".")[-3]))
    for path in files:
        with path.open("rb") as log:
            while line := log.readline():
                if not line.startswith(b"*"):
                    continue  # a timestamp
                parts: list[bytes] = []
                for _ in range(int(line[1:])):
                    size = int(log.readline()[1:])
                    parts.append(log.read(size + 2)[:-2])
                yield parts


def read(directory: Path) -> tuple[list[Accepted], list[Committed], list[Dead]]:
    """What was taken in, what was committed (replies with one commit id together), what was given up on.

    An answer to a question is no message: it is part of the turn that asked. Nor is a choice of the
    chat's settings. What came between a question and its answer is put back at the inbox's head when that turn ends.
    """
    accepted: list[Accepted] = []
    known: set[int] = set()
    commits: dict[tuple[str, str], Committed] = {}
    dead: list[Dead] = []
    for place, parts in enumerate(commands(directory)):
        name = parts[0].upper()
        key = parts[1].decode(errors="replace") if len(parts) > 1 else ""
        if name in (b"RPUSH", b"LPUSH") and key.startswith("cohort:s:"):
            session, kind = key.removeprefix("cohort:s:").rsplit(":", 1)
            if kind not in ("inbox", "outbox"):
                # Entries of a journal may be deflated.
                continue
            for value in map(json.loads, parts[2:]):
                back = name == b"LPUSH" and value.get("update_id") in known
                if kind == "inbox" and value.get("kind") not in ("answer", "choose") and not back:
                    known.add(value["update_id"])
                    accepted.append(Accepted(place, session, value["update_id"], value["at"]))
                elif kind == "outbox":
                    ident, answers = value["id"].split(".")[0], tuple(value.get("answers", ()))
                    said = commits.get((session, ident))
                    texts = (*(said.texts if said else ()), value.get("text", ""))
                    commits[session, ident] = Committed(place, session, ident, answers, texts)
        elif name == b"XADD" and key.endswith(":dead"):
            letter = json.loads(parts[parts.index(b"letter") + 1])
            whose = letter.get("session") or "-", letter.get("update_id") or 0
            dead.append(Dead(*whose, letter["reason"], letter["at"]))
    return accepted, list(commits.values()), dead
