"""HTML within Markdown: what of it is formatting (pure)."""

import re
from html import unescape

from workers.telegram.markdown.names import table

TAG = re.compile(
    r"<(/?)([A-Za-z][A-Za-z0-9-]{0,30})"
    r"((?:\s+[A-Za-z_:@][\w:.@-]*(?:\s*=\s*(?:\"[^\"]*\"|'[^']*'|[^\s\"'=<>`]+))?)*)\s*(/?)>"
)
_ATTRIBUTE = re.compile(r"([A-Za-z_:@][\w:.@-]*)\s*=\s*(?:\"([^\"]*)\"|'([^']*)'|([^\s\"'=<>`]+))")
STYLES = table(
    "b bold strong bold mark bold i italic em italic cite italic var italic u underline ins underline s strikethrough "
    "strike strikethrough del strikethrough tg-spoiler spoiler span spoiler a text_link sub sub sup sup "
    "h1 bold h2 bold h3 bold h4 bold h5 bold h6 bold blockquote blockquote "
    "small plain big plain font plain"
)
"""Tags whose text is formatted, and how; ``plain``: by what no message has, as a colour."""
CODE = frozenset({"code", "kbd", "samp", "tt", "pre"})
"""Tags whose text is code, in which nothing is markup."""
FOLDS = frozenset({"details", "summary"})
"""Tags that span blocks."""


def attribute(attributes: str, name: str) -> str:
    """An attribute's value; empty where it is not given."""
    for found in _ATTRIBUTE.finditer(attributes):
        if found[1].lower() == name:
            return unescape(found[2] or found[3] or found[4] or "")
    return ""


def styled(name: str, attributes: str) -> str | None:
    """The kind of entity that an opening tag begins."""
    if name == "span" and "tg-spoiler" not in attribute(attributes, "class").split():
        return "plain"
    if name == "a" and not attribute(attributes, "href"):
        return None
    return STYLES.get(name)
