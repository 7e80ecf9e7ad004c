"""Waiting entries become the messages of one turn: albums are put together, edits are applied (pure)."""

from collections.abc import Sequence

from tasks.envelope import Inbound
from workers.sessions.planning import bursts
from workers.sessions.planning.edits import MessagePrints, changes_nothing

ALBUM_PAUSE_S = 0.7
"""Telegram sends each part of an album as its own update. The album is complete when no part came for this long."""

COLLECT_CHARACTERS = 24_000
COLLECT_MESSAGES = 64
"""One turn takes so many characters and so many messages. More would crowd the history out of the model's window."""


def gather(
    entries: Sequence[Inbound], *, alone: bool, bursts_whole: bool = False, said: MessagePrints | None = None
) -> tuple[list[Inbound], Sequence[Inbound]]:
    """Take the messages of one turn from the head of the inbox.

    Albums are put together and edits are applied. An edit that changes nothing is taken and dropped.

    Args:
        entries: What waits, oldest first.
        alone: Take one message (with its album and its edits) and not all that wait.
        bursts_whole: With ``alone``, the rest of its burst is taken along.
        said: What the last messages said that left the inbox; it tells which edits change nothing.

    Returns:
        The messages, and the entries they are made of. Both are empty when the head is not a message.
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
        elif groups and (
            (alone and not (bursts_whole and bursts.goes_on(groups[-1][-1], entry)))
            or len(groups) == COLLECT_MESSAGES
            or size + len(entry.text) > COLLECT_CHARACTERS
        ):
            break
        else:
            groups.append([entry])
        size += len(entry.text)
        taken += 1
    return [_merge(group) for group in groups], entries[:taken]


def album_left(last: Inbound, now: float) -> float:
    """How many seconds to wait for a further part of the album that ``last`` belongs to."""
    return 0 if last.album is None else bursts.left(last.at, now, ALBUM_PAUSE_S)


def _merge(parts: Sequence[Inbound]) -> Inbound:
    """Put an album's parts together: one message with all files and all captions (usually there is one caption)."""
    if len(parts) == 1:
        return parts[0]
    captions = sum(1 for part in parts if part.text)
    # One caption is the album's; of several each stands beside its file.
    apart = captions > 1 and all(part.media for part in parts)
    media = tuple(
        file.model_copy(update={"caption": part.text}) if apart and part.text and not number else file
        for part in parts
        for number, file in enumerate(part.media)
    )
    answering = next((part for part in parts if part.quote), parts[0])
    return parts[0].model_copy(
        update={
            "media": media,
            "text": "" if apart else "\n".join(part.text for part in parts if part.text),
            "quote": answering.quote,
            "quoted": answering.quoted,
            "parts": tuple(part.message_id for part in parts if part.message_id is not None),
        }
    )


def _edit(message: Inbound, edit: Inbound) -> Inbound:
    """Apply an edit: the message keeps its place and gets the new words and files."""
    answering = edit if edit.quote else message
    about = {"quote": answering.quote, "quoted": answering.quoted}
    return message.model_copy(update={"text": edit.text, "media": edit.media, **about})


def _edited(groups: Sequence[Sequence[Inbound]], entry: Inbound) -> tuple[int, int] | None:
    """Find the waiting message that ``entry`` edits: its group and its place there; None when it waits no more."""
    if not entry.edited or entry.message_id is None:
        return None
    for number, group in enumerate(groups):
        for place, message in enumerate(group):
            # A group that became a supergroup numbers its messages from 1 again, so the chat has to match as well.
            if (message.session, message.message_id) == (entry.session, entry.message_id):
                return number, place
    return None
