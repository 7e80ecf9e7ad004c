"""Web addresses, mail addresses and paths in a text, and the destinations of links (pure)."""

import re
from html import unescape

from workers.telegram.clean import clean

_HOST = re.compile(r"https?://(?:[^\s/?#@]*@)?(?:www\.)?([^\s/?#:]+)", re.IGNORECASE)
_NAMED_HOST = re.compile(
    r"(?:https?://(?:[^\s/?#@]*@)?(?:www\.)?|www\.)([^\s/?#:]+)|([\w-]+(?:\.[\w-]+)*\.(?:com|org|net|edu|gov|info|biz))\b",
    re.IGNORECASE,
)
_LINKABLE = re.compile(r"https?://[^\s/]", re.IGNORECASE)
_SCHEME = re.compile(r"(?:^|[^A-Za-z0-9])([A-Za-z][A-Za-z0-9+.-]{0,31})\Z|(?i:https?|ftps?|wss?)\Z")
_ADDRESS = re.compile(r"[^\s<>`\"\u3000-\u3002\uff01-\uff0f\uff1a-\uff20\uff3b-\uff40\uff5b-\uff65“”‘’«»]{0,2048}")
_PATH = re.compile(r"[^\s`<>|\"?]{1,1024}")
_NETWORK_PATH = re.compile(r"\\\\[\w.-]+\\[^\s`<>|\"?]{0,1024}")
_TRAILING = frozenset("?!.,:;*_~|'\"\\")
_BRACKET = re.compile(r"[()\[\]{}]")
_PAIRS = {")": "(", "]": "[", "}": "{"}
_ANGLE = re.compile(r"<([A-Za-z][A-Za-z0-9+.-]{1,31}:[^\s<>]*|[\w.+-]+@[\w-]+(?:\.[\w-]+)+)>")
_SHOWN_SCHEMES = re.compile(
    r"(?:https?|ftps?|sftp|ssh|git|file|mailto|tel|sms|tg|tonsite|magnet|data):\S", re.IGNORECASE
)
_SILENT = re.compile(r"\s*(?:#|tg://user\b|javascript:|vbscript:|data:)", re.IGNORECASE)
_PERSONAL = re.compile(r"(?:mailto|tel|sms):", re.IGNORECASE)
_PARENTHESES = 32
_ANGLED = re.compile(r"<((?:[^<>\n\\]|\\.)*)>")
_TITLE = re.compile(r"\"((?:[^\"\\]|\\[\s\S])*)\"|'((?:[^'\\]|\\[\s\S])*)'|\(((?:[^()\\]|\\[\s\S])*)\)")
_ESCAPED = re.compile(r"\\([!-/:-@\[-`{-~])")
_BLANKS = re.compile(r"[ \t]*\n?[ \t]*")


def address_end(source: str, start: int, *, bold: bool = False) -> int:
    """Where the address that has ``start`` in it ends; ``bold``: asterisks may be those that end bold text."""
    found = _ADDRESS.match(source, start)
    end = found.end() if found else start
    if bold and (stars := source.find("**", start, end)) > 0:
        end = stars
    return _trimmed(source, start, end)


def _trimmed(source: str, start: int, end: int) -> int:
    """Up to the first bracket that closes what was opened before, and without punctuation of the sentence."""
    depth = dict.fromkeys("([{", 0)
    for found in _BRACKET.finditer(source, start, end):
        bracket = found[0]
        if bracket in depth:
            depth[bracket] += 1
        elif not depth[_PAIRS[bracket]]:
            end = found.start()
            break
        else:
            depth[_PAIRS[bracket]] -= 1
    while end > start and source[end - 1] in _TRAILING:
        if source[end - 1] == "_" and "_" in source[source.rfind("/", start, end) + 1 : end].rstrip("_"):
            # .../_id_ and .../c_d_ are names; an address that ends italic text has no underscores, as a rule.
            break
        end -= 1
    return end


def after_scheme(source: str, colon: int) -> int:
    r"""Where an address or a path (``C:\x``) ends whose colon this is; ``colon`` itself where it is neither."""
    scheme = _SCHEME.search(source, max(0, colon - 33), colon)
    if scheme is None:
        return colon
    if source.startswith("://", colon):
        return max(address_end(source, colon + 3, bold=source.rfind("**", max(0, colon - 200), colon) >= 0), colon)
    if source.startswith(":\\", colon) and len(scheme[1] or "") == 1:
        return path_end(source, colon)
    return colon


def path_end(source: str, start: int) -> int:
    """Where a Windows path ends."""
    found = _PATH.match(source, start)
    return _trimmed(source, start, found.end()) if found else start


def network_path_end(source: str, start: int) -> int:
    found = _NETWORK_PATH.match(source, start)
    return _trimmed(source, start, found.end()) if found else start


def angled(source: str, start: int) -> tuple[str, int] | None:
    """The address in angle brackets that begins here, and where it ends. ``Map<a:b>`` is none."""
    found = _ANGLE.match(source, start)
    if found is None or not ("@" in found[1] or _SHOWN_SCHEMES.match(found[1])):
        return None
    return found[1], found.end()


def linkable(address: str) -> bool:
    """Whether it may be behind a word.

    Only what a browser opens: ``tg://`` links act in Telegram (one mentions a person, others set a proxy or log in),
    and Telegram makes something else of ``mailto:``.
    """
    return bool(_LINKABLE.match(address))


def is_what_it_says(label: str, address: str) -> bool:
    """Whether a label that is an address itself names the host to which the link leads."""
    named, host = _NAMED_HOST.match(label), _HOST.match(address)
    if named is None or host is None:
        return True
    return f".{host[1]}".lower().rstrip(".").endswith(f".{named[1] or named[2]}".lower().rstrip("."))


def in_words(address: str) -> str:
    """What is shown of an address that no link leads to; empty where it says nothing to a reader."""
    if not address or _SILENT.match(address):
        return ""
    return _PERSONAL.sub("", address)


def destination(source: str, start: int) -> tuple[str, str, int] | None:
    """A link's destination and title, from its opening parenthesis on, and where it ends."""
    at = _skip(source, start + 1)
    found = _ANGLED.match(source, at)
    if found:
        address, at = found[1], found.end()
    else:
        end = _bare_end(source, at)
        if end is None:
            return None
        address, at = source[at:end], end
    title = ""
    behind = _skip(source, at)
    if behind > at and (given := _TITLE.match(source, behind)):
        title = plain(given[1] or given[2] or given[3] or "")
        behind = _skip(source, given.end())
    if not source.startswith(")", behind):
        return None
    return as_url(plain(address)), title, behind + 1


def _skip(source: str, at: int) -> int:
    found = _BLANKS.match(source, at)
    return found.end() if found else at


def _bare_end(source: str, at: int) -> int | None:
    depth = 0
    while at < len(source):
        character = source[at]
        if character == "\\" and source[at + 1 : at + 2].strip():
            at += 2
            continue
        if character.isspace() or character == "<":
            break
        if character == "(":
            depth += 1
            if depth > _PARENTHESES:
                return None
        elif character == ")":
            if not depth:
                break
            depth -= 1
        at += 1
    return None if depth else at


def plain(text: str) -> str:
    """Without escapes and character references."""
    return clean(unescape(_ESCAPED.sub(r"\1", text)) if "\\" in text or "&" in text else text)


def as_url(address: str) -> str:
    """As it was written, but for what cannot stand in an address."""
    return address.strip().replace(" ", "%20").replace("\n", "").replace("\t", "%09")
