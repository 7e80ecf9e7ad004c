"""Which waiting entries are answered together, and as what: albums put together, edits applied (pure)."""

from collections.abc import Sequence

from tasks.envelope import Inbound
from workers.sessions.edits import Said, changes_nothing

ALBUM_PAUSE_S = 0.7
"""Telegram sends an album's parts as updates of their own; it is complete when none came for this long."""

CLOCKS_DIFFER_S = 2.0
"""Between two machines, at most, without an album being cut."""

COLLECT_CHARACTERS = 24_000
COLLECT_MESSAGES = 64
"""Waiting messages are answered together up to this much and this many; more would crowd out the history."""


def gather(
    entries: Sequence[Inbound], *, alone: bool, said: Said | None = None
) -> tuple[list[Inbound], Sequence[Inbound]]:
    """Messages for one turn and the entries they are made of: all that wait (``alone``: one).

    Albums are put together, edits applied. An edit that changes nothing of what was ``said`` is taken and left out.
    Both are empty when the head is no message.
    """
    groups: list[list[Inbound]] = []
    size = taken = 0
    for entry in entries:
        if entry.kind not in ("message", "reminder"):
            break
        if (found := _edited(groups, entry)) is not None:
            group, place = found
            groups[group][place] = _edit(groups[group][place], entry)
        elif changes_nothing(entry, said or {}):
            taken += 1
            continue
        elif groups and entry.album is not None and entry.album == groups[-1][-1].album:
            groups[-1].append(entry)
        elif groups and (alone or len(groups) == COLLECT_MESSAGES or size + len(entry.text) > COLLECT_CHARACTERS):
            break
        else:
            groups.append([entry])
        size += len(entry.text)
        taken += 1
    return [_merge(group) for group in groups], entries[:taken]


def album_left(last: Inbound, now: float) -> float:
    """Seconds to wait for a further part behind ``last``."""
    if last.album is None:
        return 0
    left = last.at + ALBUM_PAUSE_S - now
    # The bot's clock may be ahead of ours a little; one that jumped must not hold an album for ever.
    return min(left, ALBUM_PAUSE_S) if 0 < left <= ALBUM_PAUSE_S + CLOCKS_DIFFER_S else 0


def _merge(parts: Sequence[Inbound]) -> Inbound:
    """An album's parts are one message: all their files, and their captions (mostly there is one)."""
    if len(parts) == 1:
        return parts[0]
    media = tuple(file for part in parts for file in part.media)
    return parts[0].model_copy(
        update={
            "media": media,
            "text": "\n".join(part.text for part in parts if part.text),
            "quote": next((part.quote for part in parts if part.quote), None),
        }
    )


def _edit(message: Inbound, edit: Inbound) -> Inbound:
    """The message as its user wants it now, in its old place."""
    return message.model_copy(update={"text": edit.text, "media": edit.media, "quote": edit.quote or message.quote})


def _edited(groups: Sequence[Sequence[Inbound]], entry: Inbound) -> tuple[int, int] | None:
    """Where the message stands that ``entry`` is a new version of, if it is still waiting."""
    if not entry.edited or entry.message_id is None:
        return None
    for number, group in enumerate(groups):
        for place, message in enumerate(group):
            # Of another chat, which this one was before, it is another message.
            if (message.session, message.message_id) == (entry.session, entry.message_id):
                return number, place
    return None
