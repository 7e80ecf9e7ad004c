r"""Chemistry as models write it, mhchem's ``\ce{2H2 + O2 -> 2H2O}`` and ``\pu{5 m s-2}``, as plain LaTeX (pure)."""

import re

_COMMAND = re.compile(r"\\(ce|pu)\s*\{")
_BRACES = re.compile(r"\\.|[{}]", re.DOTALL)
_LONGEST = 300
"""Characters of a formula that stands in a text without dollars."""
_ARROWS = {
    "<=>>": "⇌",
    "<<=>": "⇌",
    "<=>": "⇌",
    "<-->": "⇄",
    "<->": "↔",
    "->": "→",
    "<-": "←",
}
_STATES = ("(aq)", "(s)", "(l)", "(g)")
_PART = re.compile(
    r"\s*(?P<arrow><=>>|<<=>|<=>|<-->|<->|->|<-)(?:\[(?P<above>[^\[\]]*)\])?(?:\[(?P<below>[^\[\]]*)\])?\s*"
    r"|(?<![^\s(])(?P<gas>\^|v)(?![^\s)])"
    r"|(?P<script>[\^_])(?:\{(?P<group>(?:[^{}]|\{[^{}]*\})*)\}|(?P<sign>\d*[+\-−]+|[\d.]+|[A-Za-z*•]))"
    r"|(?<=[A-Za-z)\]}])(?P<count>\d+)"
    r"|(?<=[A-Za-z\d)\]}])(?P<charge>[+\-−])(?=[\s)\],;]|\((?:aq|s|l|g)\)|\Z)"
    r"|(?<=\S)(?P<water>[.*])(?=[\dA-Z])"
    r"|(?P<bond>#)"
    r"|\$(?P<math>[^$]*)\$"
    r"|(?P<command>\\[A-Za-z]+)"
)
_UNIT = re.compile(
    r"(?P<power>(?<=[A-Za-z])\^?\{?(?P<exponent>-?\d+)\}?)"
    r"|(?P<times>(?<=\S)[.*](?=[A-Za-z]))"
    r"|(?<=\d)[eE](?P<ten>-?\d+)"
)


def spelled(formula: str) -> str:
    r"""A formula with the formulas and units of chemistry in it as LaTeX that needs no package.

    What is still being written, and has no closing brace, is read up to its end.
    """
    if "\\ce" not in formula and "\\pu" not in formula:
        return formula
    parts: list[str] = []
    at = 0
    while found := _COMMAND.search(formula, at):
        end = _closing(formula, found.end())
        inside = formula[found.end() : end]
        parts += [formula[at : found.start()], (_reaction if found[1] == "ce" else _units)(inside)]
        at = end + 1
    return "".join((*parts, formula[at:]))


def bare(source: str, at: int) -> tuple[str, int] | None:
    r"""The same where it stands in a text, without dollars: the formula, and where it ends."""
    found = _COMMAND.match(source, at)
    if found is None:
        return None
    near = source[at : at + _LONGEST].partition("\n\n")[0]
    end = _closing(near, found.end() - at)
    return (near[: end + 1], at + end + 1) if end < len(near) else None


def _closing(text: str, at: int) -> int:
    """Where the brace stands that closes the one before ``at``; the text's end where there is none."""
    depth = 1
    for found in _BRACES.finditer(text, at):
        depth += {"{": 1, "}": -1}.get(found[0], 0)
        if not depth:
            return found.start()
    return len(text)


def _reaction(text: str) -> str:
    return _PART.sub(_part, text)


def _part(found: re.Match[str]) -> str:
    match found.lastgroup:
        case "arrow" | "above" | "below":
            said = [label.strip() for label in (found["above"], found["below"]) if label and label.strip()]
            return _arrow(found["arrow"], "; ".join(map(_reaction, said)))
        case "gas":
            return "↑" if found["gas"] == "^" else "↓"
        case "group" | "sign":
            group = found["group"]
            if group in _STATES:
                return group
            return f"{found['script']}{{{found['sign'] if group is None else group}}}"
        case "count":
            return f"_{{{found['count']}}}"
        case "charge":
            return f"^{{{found['charge']}}}"
        case "water":
            return "·"
        case "bond":
            return "≡"
        case "math":
            return found["math"]
        case _:
            return found[0]


def _arrow(arrow: str, said: str) -> str:
    if not said:
        return f" {_ARROWS[arrow]} "
    return f" \\xrightarrow{{{said}}} " if arrow == "->" else f" {_ARROWS[arrow]} ({said}) "


def _units(text: str) -> str:
    return _UNIT.sub(_unit, text)


def _unit(found: re.Match[str]) -> str:
    if found["times"]:
        return "·"
    return f"^{{{found['exponent']}}}" if found["power"] else f"·10^{{{found['ten']}}}"
