"""Slash commands: their names, and who handles each (pure)."""

import difflib
import re
from collections.abc import Iterable
from dataclasses import dataclass

from tasks.chats.command_names import ASKS, CONTROL

# Bot API, "Commands": up to 32 of these; the suffix names the bot it is meant for. Apps mark /stop in "/stop!", too.
_FORM = re.compile(
    r"/([A-Za-z0-9_]{1,32})(?:@([A-Za-z0-9_]{3,32}))?(?:[\s\u200b\ufe0f]+|[.,:;!?\u2026]{1,3}(?:\s+|$)"
    r"|[\uff0c\u3002\uff1a\uff01\uff1f\u3001]{1,3}\s*|$)"
)
_LOOKS_LIKE = str.maketrans(
    {
        "\uff0f": "/",
        "\uff20": "@",
        **{chr(0xFEE0 + code): chr(code) for code in (*range(0x30, 0x3A), *range(0x41, 0x5B), *range(0x61, 0x7B))},
        **dict(
            zip("\u0430\u0441\u0435\u043e\u0440\u0445\u0443\u0456\u0455\u043a\u043c\u0442", "aceopxyiskmt", strict=True)
        ),
    }
)
"""Full-width letters, as Chinese and Japanese keyboards write them, and Cyrillic ones that look like ours."""
_FIRST_WORD = re.compile(r"[/\uff0f]\S{1,66}")


@dataclass(frozen=True, slots=True)
class Command:
    """``/name@to argument``; the name in lower case, ``to`` (lower case) only where a bot was named."""

    name: str
    argument: str = ""
    to: str | None = None
    group: str = ""
    """The title of the group in which an admin decides."""

    @property
    def known(self) -> bool:
        """Whether it is one of ours."""
        return self.name in CONTROL or self.name in ASKS

    def is_for(self, bot: str) -> bool:
        """Whether it names the bot of this username, or none."""
        return self.to in (None, bot)


UNREADABLE = Command("unreadable")
"""Stands for a message that we cannot read; the bot says so to its author."""


GREETING = Command("greeting")
"""Stands for the bot being added to a group, which it greets."""

UNKNOWN = "unknown"
"""Names a command that stands for one that we do not know, which is its argument."""

PASTED = Command("the end of a login")
"""Stands for a message that is the address at which a login ended."""

LOGINS = frozenset({"login", "logout", PASTED.name})
"""What is asked about logins at MCP servers."""

CODE = Command("code")
"""Stands for a pairing code where it counts for nothing."""


_IN_WORDS = {
    "start": "старт 开始",
    "help": "помощь справка 帮助 hilfe ayuda ajuda",
    "stop": "стоп отмена 停止 stopp abbrechen parar detener",
    "new": "новый новая 新对话 neu nuevo nueva novo nova",
    "status": "статус 状态 estado",
    "model": "модель 模型",
    "language": "язык 语言 sprache idioma",
    "voice": "голос 语音 stimme voz",
    "memory": "память 记忆 gedächtnis memoria memória",
    "reminders": "напоминания 提醒 erinnerungen recordatorios lembretes",
}
"""What people write for a command whose name they do not know, in the languages that the bot speaks."""
_MEANT = {word: name for name, words in _IN_WORDS.items() for word in words.split()}


def as_written(text: str, *, private: bool) -> str:
    """A text as it is; one that begins with a command in other letters than its own, in these.

    The letters look like its own, or, in a private chat, are a word for it: only words of Latin letters can be
    another's command.
    """
    found = _FIRST_WORD.match(text)
    if found is None or found[0].isascii():
        return text
    bare = found[0].translate(_LOOKS_LIKE) + text[found.end() :]
    command = parse(bare)
    if command is not None and command.known:
        return bare
    word = found[0][1:].rstrip(".,:;!?\u2026\uff0c\u3002\uff01\uff1f").casefold()
    return f"/{_MEANT[word]}{text[found.end() :]}" if private and word in _MEANT else text


def parse(text: str) -> Command | None:
    """The command that a text starts with, if it does."""
    found = _FORM.match(text)
    if found is None:
        return None
    name, to = found.groups()
    return Command(name.lower(), text[found.end() :].strip(), to.lower() if to else None)


_LIKE = 0.7
"""How alike a mistyped command is to the one that was meant (difflib's ratio)."""
_BEGINS = 3
"""Letters by which the beginning of a command means it: "/lang"."""


_PAYLOAD = re.compile(r"[A-Za-z0-9_-]{1,64}")


def payload_of(argument: str) -> str | None:
    """The payload of a deep link (Bot API, "Deep linking"), of what stands behind /start; None where it is none."""
    return argument if _PAYLOAD.fullmatch(argument) else None


def nearest(name: str, also: Iterable[str] = ()) -> str | None:
    """The command of ours that a mistyped one means, or a word for it; None for one of ours. ``also``: the agents' own.

    It is the only one that begins so, or one that is alike; of three letters, two that changed places are much.
    """
    known = sorted({*CONTROL, *ASKS, *also})
    if name in known:
        return None
    begin = [one for one in known if len(name) >= _BEGINS and one.startswith(name)]
    if len(begin) == 1 or name in _MEANT:
        return _MEANT.get(name) or begin[0]
    swapped = (one for one in known if sorted(one) == sorted(name))
    words = (_MEANT[word] for word in difflib.get_close_matches(name, _MEANT, n=1, cutoff=_LIKE))
    return next(iter((*difflib.get_close_matches(name, known, n=1, cutoff=_LIKE), *swapped, *words)), None)
