r"""Numbers and units as LaTeX's siunitx writes them, ``\SI{3}{\meter\per\second}``, as plain LaTeX (pure)."""

import re

from workers.telegram.markdown.names import names, table

_COMMAND = re.compile(
    r"\\(?P<name>SIrange|qtyrange|SIlist|qtylist|numrange|SI|si|qty|unit|num|ang)\s*(?:\[[^\[\]]{0,80}\]\s*)?(?=\{)"
)
_GROUP = re.compile(r"\s{0,4}\{((?:[^{}]|\{[^{}]*\}){0,300})\}")
_LONGEST = 300
"""Characters of a command in a text, or of one that is not ended."""
_ARGUMENTS = {"SI": 2, "qty": 2, "SIrange": 3, "qtyrange": 3, "SIlist": 2, "qtylist": 2, "numrange": 2}
_NUMBER = re.compile(r"\s*(?P<sign>\+-|\\pm)\s*|(?<=\d)\s*[eE](?P<power>[+-]?\d+)|\s*(?P<times>x)\s*(?=\d)")
_PART = re.compile(
    r"\\(?P<name>[A-Za-z]+)(?:\s*\{(?P<argument>[^{}]*)\})?|(?P<over>/)|(?P<plain>(?:[^\\\s/.~^{}]|\^\{[^{}]*\}|\^)+)"
)
_UNITS = table(
    "meter m metre m gram g kilogram kg second s ampere A kelvin K mole mol candela cd hertz Hz newton N pascal Pa "
    "joule J watt W coulomb C volt V farad F ohm Ω siemens S weber Wb tesla T henry H lumen lm lux lx becquerel Bq "
    "gray Gy sievert Sv katal kat celsius °C degreeCelsius °C degree ° arcminute ′ arcsecond ″ percent % minute min "
    "hour h day d liter L litre L tonne t hectare ha electronvolt eV dalton Da bar bar bel B decibel dB neper Np "
    "astronomicalunit au angstrom Å radian rad steradian sr bit bit byte B mmHg mmHg atm atm fahrenheit °F "
    "degreeFahrenheit °F calorie cal "
    "m m s s kg kg g g K K A A mol mol cd cd N N J J W W V V Hz Hz Pa Pa kPa kPa MPa MPa eV eV keV keV MeV MeV GeV GeV "
    "cm cm mm mm km km nm nm um µm ms ms us µs ns ns ml mL l L kHz kHz MHz MHz GHz GHz kW kW MW MW kJ kJ "
    "mA mA kV kV mV mV"
)
_PREFIXES = table(
    "yocto y zepto z atto a femto f pico p nano n micro µ milli m centi c deci d deca da deka da hecto h kilo k mega M "
    "giga G tera T peta P exa E zetta Z yotta Y kibi Ki mebi Mi gibi Gi tebi Ti"
)
_POWERS = {"squared": "2", "cubed": "3", "tothe": "", "raiseto": "", "square": "2", "cubic": "3"}
_BEFORE = names("raiseto square cubic")
_CLOSE = frozenset("°′″%")
"""They stand right behind the number, but for degrees of temperature."""


def spelled_out(formula: str) -> str:
    """A formula whose commands of siunitx are LaTeX that needs no package; of one that goes on, what is there."""
    if not any(f"\\{name}" in formula for name in ("SI", "si", "qty", "unit", "num", "ang")):
        return formula
    parts: list[str] = []
    at = 0
    while found := _COMMAND.search(formula, at):
        groups, end = _groups(formula, found)
        whole = len(groups) == _wanted(found) or not formula[end:].strip()
        parts += [formula[at : found.start()], _written(found["name"], groups) if whole else found[0]]
        at = end if whole else found.end()
    return "".join((*parts, formula[at:]))


def bare(source: str, at: int) -> tuple[str, int] | None:
    """The same where it stands in a text, without dollars: the formula, and where it ends."""
    found = _COMMAND.match(source, at, at + _LONGEST)
    if found is None:
        return None
    groups, end = _groups(source, found)
    return (source[at:end], end) if len(groups) == _wanted(found) else None


def begun(line: str) -> int | None:
    """Where in a line one begins that has no end yet."""
    last = max(_COMMAND.finditer(line, max(0, len(line) - _LONGEST)), key=lambda found: found.start(), default=None)
    if last is None:
        return None
    groups, end = _groups(line, last)
    goes_on = len(groups) < _wanted(last) and (not line[end:].strip() or line[end:].lstrip()[0] == "{")
    return last.start() if goes_on else None


def _wanted(found: re.Match[str]) -> int:
    return _ARGUMENTS.get(found["name"], 1)


def _groups(formula: str, found: re.Match[str]) -> tuple[list[str], int]:
    """A command's arguments, as many as there are, and where they end."""
    at, groups = found.end(), list[str]()
    while len(groups) < _wanted(found) and (group := _GROUP.match(formula, at)):
        groups.append(group[1].strip())
        at = group.end()
    return groups, at


def _written(name: str, groups: list[str]) -> str:
    """Plain LaTeX; of a number whose unit is not there yet, the number."""
    match name, groups:
        case "ang", [angle]:
            return "".join(f"{part}{sign}" for part, sign in zip(angle.split(";"), "°′″", strict=False) if part)
        case "si" | "unit", [unit]:
            return f"\\mathrm{{{_unit(unit)}}}"
        case "numrange", [first, last]:
            return f"{_number(first)}–{_number(last)}"
        case _, [first, last, unit]:
            return _with_unit(f"{_number(first)}–{_number(last)}", unit)
        case "SI" | "qty" | "SIlist" | "qtylist", [numbers, unit]:
            return _with_unit(", ".join(map(_number, numbers.split(";"))), unit)
        case _:
            return _number(groups[0]) if groups else ""


def _with_unit(number: str, unit: str) -> str:
    said = _unit(unit)
    return f"{number}\\mathrm{{{said}}}" if said in _CLOSE and said != "%" else f"{number}\\,\\mathrm{{{said}}}"


def _number(number: str) -> str:
    def said(found: re.Match[str]) -> str:
        if found["power"]:
            return f"·10^{{{found['power'].removeprefix('+')}}}"
        return " \\times " if found["times"] else " \\pm "

    return _NUMBER.sub(said, number)


def _unit(unit: str) -> str:
    r"""Units with their powers; ``\per`` and what stands behind ``/`` have negative ones."""
    parts: list[tuple[str, str, bool]] = []
    prefix, power, over, divided = "", "", False, False
    for found in _PART.finditer(unit):
        name, argument = found["name"], (found["argument"] or "").strip()
        if name in _PREFIXES:
            prefix += _PREFIXES[name]
        elif name in _BEFORE:
            power = _POWERS[name] or argument
        elif name in _POWERS:
            if parts:
                parts[-1] = parts[-1][0], _POWERS[name] or argument, parts[-1][2]
        elif name == "per":
            over = True
        elif found["over"]:
            divided = True
        elif name or found["plain"]:
            said, _, written = (_UNITS.get(name, f"\\{name}") if name else found["plain"]).partition("^")
            parts.append((prefix + said, power or written.strip("{}"), over or divided))
            prefix, power, over = "", "", False
    return "\\,".join([_powered(*part) for part in parts]) + prefix


def _powered(said: str, power: str, below: bool) -> str:  # noqa: FBT001 - a part of a unit
    if below:
        power = power[1:] if power.startswith("-") else f"-{power or 1}"
    return f"{said}^{{{power}}}" if power and power != "1" else said
