"""What tests of Markdown look at: a text with what its entities cover."""

import unicodedata

from botapi.split import EntityFields
from tasks.text import utf16
from workers.telegram.markdown.document import to_entities

_CODE = ("code", "pre")
_QUOTES = ("blockquote", "expandable_blockquote")


def covered(text: str, entity: EntityFields) -> str:
    """What an entity covers; fails when it cuts a surrogate pair."""
    units = text.encode("utf-16-le")
    return units[2 * entity["offset"] : 2 * (entity["offset"] + entity["length"])].decode("utf-16-le")


def shown(source: str) -> str:
    """The text a reader sees."""
    return to_entities(source)[0]


def formatted(source: str, *kinds: str) -> list[tuple[str, str]]:
    """(kind, text) of the entities, all or those of some kinds; a link is its address, too."""
    text, entities = to_entities(source)
    return [
        (entity["type"], covered(text, entity) + (f" -> {entity['url']}" if "url" in entity else ""))
        for entity in entities
        if not kinds or entity["type"] in kinds
    ]


def is_valid(text: str, entities: list[EntityFields]) -> None:
    """By Telegram's rules (Bot API, MessageEntity)."""
    size = utf16(text)
    open_: list[EntityFields] = []
    for entity in entities:
        assert entity["length"] > 0
        assert 0 <= entity["offset"] <= size - entity["length"]
        assert covered(text, entity).strip()
        while open_ and open_[-1]["offset"] + open_[-1]["length"] <= entity["offset"]:
            open_.pop()
        for outer in open_:
            assert entity["offset"] + entity["length"] <= outer["offset"] + outer["length"], "they cross"
            assert outer["type"] not in _CODE
            assert outer["type"] != entity["type"]
            assert not (outer["type"] in _QUOTES and entity["type"] in _QUOTES)
            assert not (outer["type"] == "text_link" and entity["type"] in _CODE)
        open_.append(entity)


def is_kept(word: str, source: str) -> bool:
    """Whether a word of ``source`` is still to be read, or is where a link leads."""
    text, entities = to_entities(source)
    everything = " ".join([text, *(str(value) for entity in entities for value in entity.values())])
    return word in everything or word in unicodedata.normalize("NFKC", everything)
