"""Notes as documentation tools write them, ``:::tip`` and ``!!! note``, as quotes with a title (pure)."""

import re

from workers.telegram.markdown.code_lines import told_apart
from workers.telegram.markdown.notes import NOTES, title

_BEGIN = re.compile(
    r" {0,3}:{3,}[ \t]*\{?\.?(?P<kind>[A-Za-z][\w-]{0,20})(?:\[(?P<title>[^\[\]]{0,200})\]|\}|\{[^{}]{0,200}\}|"
    r"[ \t]+(?P<said>[^\s{].{0,200}))?[ \t]*"
)
_END = re.compile(r" {0,3}:{3,}[ \t]*")
_CALLED = re.compile(
    r" {0,3}(?P<mark>!!!|\?\?\?\+?)[ \t]+(?P<kind>[A-Za-z][\w-]{0,20})(?:[ \t]+\w{1,20}){0,3}"
    r"(?:[ \t]+\"(?P<title>[^\"]{0,200})\")?[ \t]*"
)
_INDENT = "    "
_DEEP = 6
"""Notes within each other that are read."""
_FOLDED = frozenset({"details", "spoiler", "collapse"})


def as_quotes(source: str, *, grows: bool = False) -> str:
    """A text in which each of them is a quote as GitHub has it. One without an end stays, unless it may come."""
    if "!!!" in source or "???" in source:
        source = _called(source)
    return _fenced(source, grows=grows) if ":::" in source else source


def _called(source: str) -> str:
    """``!!! note "Title"``, whose text is the lines below it that stand to the right."""
    made: list[str] = []
    lines = source.split("\n")
    code = [is_code for _, is_code in told_apart(lines)]
    at = 0
    while at < len(lines):
        line = lines[at]
        begun = None if code[at] else _CALLED.fullmatch(line)
        at += 1
        end = _end_of_indented(lines, at) if begun else at
        if begun is None or end == at:
            made.append(line)
            continue
        folds = begun["mark"] != "!!!"
        body = [text.removeprefix(_INDENT) for text in lines[at:end]]
        made += _note(begun["kind"], begun["title"] or "", body, folds=folds)
        at = end
    return "\n".join(made)


def _end_of_indented(lines: list[str], at: int) -> int:
    """Behind the last of the lines that stand to the right."""
    end = at
    while at < len(lines) and (lines[at].startswith(_INDENT) or not lines[at].strip()):
        at += 1
        end = at if lines[at - 1].strip() else end
    return end


def _fenced(source: str, *, grows: bool) -> str:
    """``:::tip``, up to ``:::``; one may stand in another."""
    open_: list[tuple[re.Match[str], list[str]]] = []
    whole: list[str] = []
    for line, code in told_apart(source.split("\n")):
        within = open_[-1][1] if open_ else whole
        if not code and open_ and _END.fullmatch(line):
            begun, body = open_.pop()
            (open_[-1][1] if open_ else whole).extend(_named(begun, body))
        elif not code and len(open_) < _DEEP and (begun := _BEGIN.fullmatch(line)):
            open_.append((begun, []))
        else:
            within.append(line)
    while open_:
        begun, body = open_.pop()
        ends_by_itself = grows or begun["kind"].lower() in NOTES
        (open_[-1][1] if open_ else whole).extend(_named(begun, body) if ends_by_itself else [begun[0], *body])
    return "\n".join(whole)


def _named(begun: re.Match[str], body: list[str]) -> list[str]:
    kind, said = begun["kind"], begun["title"] or begun["said"] or ""
    folds = kind.lower() in _FOLDED
    if not folds and kind.lower() not in NOTES:
        # A column, a tab: what its text looks like says nothing to a reader.
        return ["", *([f"**{said}**", ""] if said else []), *body, ""]
    return _note(kind, said, body, folds=folds)


def _note(kind: str, said: str, body: list[str], *, folds: bool) -> list[str]:
    if folds:
        return ["", "<details>", f"<summary>{title(kind, said)}</summary>", "", *body, "", "</details>", ""]
    return ["", f"> [!{kind}] {said}".rstrip(), *(f"> {line}".rstrip() for line in body), ""]
