"""What a fence, ``<pre>`` and a line over a rule say, for entities and for rich messages alike (pure)."""

import re
from html import unescape

from markdown_it.token import Token

from workers.telegram.clean import clean
from workers.telegram.markdown.html.tags import TAG, attribute

_LANGUAGE = re.compile(r"[\w+#.-]{1,40}\Z")
_ATTRIBUTES = re.compile(r"(?:[A-Za-z][A-Za-z0-9.:-]*=(?:\"[^\"]*\"|'[^']*'|\S+)|\{.*\}|\[.*\]|\.[\w-]+\}?)\Z")
_WORD = re.compile(r"(?:[^\s\"']|\"[^\"]*\"|'[^']*'|[\"'])+")
_OF_A_FILE = re.compile(r"([\w+#-]{1,20})(?::|[ \t]+)((?:[^\s:=]*/)?[^\s/:=]*\.\w{1,10})\Z")
_NO_HEADING = re.compile(r".{80}|[.:;,!?…。：；，！？]\Z")
_MAX_LANGUAGE = 40


def is_rule_below(heading: Token, content: str) -> bool:
    """Whether what looks like a heading is a paragraph, and a rule right below it."""
    return heading.markup == "-" and ("\n" in content or _NO_HEADING.search(content) is not None)


def info(said: str) -> tuple[str, str]:
    """The language that a fence names, and what it says besides: a file's name (``py app/x.py``), or words.

    Attributes of the language say nothing to a reader.
    """
    words = _WORD.findall(said)
    if named := _OF_A_FILE.match(said.strip()):
        return named[1], named[2]
    language = words[0].strip("{}.") if words else ""
    if not _LANGUAGE.match(language) or not all(_ATTRIBUTES.match(word) for word in words[1:]):
        return "", said.strip()
    return language, ""


def preformatted(html: str) -> tuple[str, str]:
    """What stands between ``<pre>`` and ``</pre>``, and its language."""
    opening = TAG.match(html)
    text = html[opening.end() if opening else 0 : html.rindex("</")]
    language = attribute(opening[3], "language") if opening else ""
    code = TAG.match(text.lstrip())
    if code and code[2].lower() == "code" and text.rstrip().lower().endswith("</code>"):
        text = text.lstrip()[code.end() : text.lstrip().lower().rindex("</code>")]
        named = [name for name in attribute(code[3], "class").split() if name.startswith(("language-", "lang-"))]
        language = named[0].partition("-")[2] if named else language
    return clean(unescape(text)).removeprefix("\n").rstrip(), language[:_MAX_LANGUAGE]
