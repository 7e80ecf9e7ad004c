"""Texts as Telegram stores them: lengths in UTF-16 units, ends trimmed, entities checked and detected."""

import re

from playground import Json
from playground.errors import bad_request

MAX_TEXT = 4096
"""UTF-16 units of a message's text (Bot API, sendMessage)."""
MAX_CAPTION = 1024
"""UTF-16 units of a caption (Bot API, sendDocument)."""
MAX_ENTITIES = 100
"""Entities of a message that take effect; Telegram ignores the rest."""

_ENTITY_TYPES = frozenset(
    [
        "mention",
        "hashtag",
        "cashtag",
        "bot_command",
        "url",
        "email",
        "phone_number",
        "bold",
        "italic",
        "underline",
        "strikethrough",
        "spoiler",
        "blockquote",
        "expandable_blockquote",
        "code",
        "pre",
        "text_link",
        "text_mention",
        "custom_emoji",
        "date_time",
    ]
)
_NEEDS = {"text_link": "url", "text_mention": "user", "custom_emoji": "custom_emoji_id"}
_EXTRAS = ("url", "user", "language", "custom_emoji_id", "unix_time", "date_time_format")
# One pass over the text; group names are entity types. Simpler than Telegram's rules for top-level domains.
_FOUND = re.compile(
    r"(?P<email>[\w.+-]+@[\w-]+(?:\.[\w-]+)*\.[a-zA-Z]{2,})"
    r"|(?P<url>https?://[^\s<>\"]*[^\s<>\".,;:!?)\]}'])"
    r"|(?<![\w/<>])(?P<bot_command>/[A-Za-z0-9_]{1,64}(?:@[A-Za-z]\w{2,31})?)(?![\w/<>])"
    r"|(?<!\w)(?P<mention>@[A-Za-z]\w{2,31})"
    r"|(?<!\w)(?P<hashtag>#\w*[^\W\d]\w*)"
)
_TRIGGERS = ("/", "@", "#", "://")


def utf16(text: str) -> int:
    """Length in UTF-16 units: what Telegram counts and what offsets are in."""
    return len(text) if text.isascii() else len(text.encode("utf-16-le", "surrogatepass")) // 2


def find_entities(text: str) -> list[Json]:
    """Commands, links, mentions, hashtags and addresses, as Telegram detects them."""
    if not any(trigger in text for trigger in _TRIGGERS):
        return []
    return [
        {
            "type": match.lastgroup,
            "offset": utf16(text[: match.start()]),
            "length": utf16(match.group()),
        }
        for match in _FOUND.finditer(text)
    ]


def _checked(raw: object) -> Json:
    """One entity of a request.

    Raises:
        ApiError: it is no entity.
    """
    if not isinstance(raw, dict):
        raise bad_request("can't parse MessageEntity: expected an Object")
    kind, offset, length = raw.get("type"), raw.get("offset"), raw.get("length")
    if not isinstance(kind, str):
        raise bad_request("can't parse MessageEntity: Can't find field \"type\"")
    for name, value in (("offset", offset), ("length", length)):
        if value is None:
            raise bad_request(f"can't parse MessageEntity: Can't find field \"{name}\"")
        if not isinstance(value, int) or isinstance(value, bool):
            raise bad_request(f'can\'t parse MessageEntity: Field "{name}" must be of type Number')
    if kind not in _ENTITY_TYPES:
        raise bad_request("can't parse MessageEntity: Unsupported type specified")
    needed = _NEEDS.get(kind)
    if needed and needed not in raw:
        raise bad_request(f"can't parse MessageEntity: Can't find field \"{needed}\"")
    return {"type": kind, "offset": offset, "length": length} | {k: raw[k] for k in _EXTRAS if k in raw}


def _in_bounds(entities: list[Json], size: int) -> None:
    for entity in entities:
        start, end = entity["offset"], entity["offset"] + entity["length"]
        if start < 0 or entity["length"] < 0:
            raise bad_request("receive an entity with incorrect offset/length")
        if start > size:
            raise bad_request(f"entity begins after the end of the text at UTF-16 offset {start}")
        if end > size:
            raise bad_request(
                f"entity beginning at UTF-16 offset {start} ends after the end of the text at UTF-16 offset {end}"
            )


def _trim(text: str, entities: list[Json]) -> tuple[str, list[Json]]:
    """White space goes at both ends, in front only up to the first entity."""
    cut = text.rstrip(" \n\t\r")
    front = len(cut) - len(cut.lstrip(" \n\t\r"))
    if entities:
        front = min(front, *(entity["offset"] for entity in entities))
    cut = cut[front:]
    size = utf16(cut)
    kept: list[Json] = []
    for entity in entities:
        start = entity["offset"] - front
        length = min(entity["length"], size - start)
        if length > 0:
            kept.append(entity | {"offset": start, "length": length})
    return cut, kept


def formatted(
    text: str, raw_entities: object, *, empty: str | None = "text must be non-empty"
) -> tuple[str, list[Json]]:
    """A text with its entities as Telegram stores them.

    Args:
        text: what the bot sent.
        raw_entities: the request's ``entities``; anything but a list counts as none.
        empty: the error for a text that is empty after trimming; None allows it.

    Raises:
        ApiError: an entity is malformed or out of bounds, or the text is empty.
    """
    entities = [_checked(raw) for raw in raw_entities] if isinstance(raw_entities, list) else []
    if entities:
        _in_bounds(entities, utf16(text))
    text, entities = _trim(text, entities)
    if not text and empty is not None:
        raise bad_request(empty)
    taken = [(entity["offset"], entity["offset"] + entity["length"]) for entity in entities]
    for found in find_entities(text):
        start, end = found["offset"], found["offset"] + found["length"]
        if all(end <= other_start or start >= other_end for other_start, other_end in taken):
            entities.append(found)
    entities.sort(key=lambda entity: (entity["offset"], -entity["length"]))
    return text, entities[:MAX_ENTITIES]
