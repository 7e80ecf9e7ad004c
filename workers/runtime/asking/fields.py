"""The fields of a form: what each asks a person, and what an answer is worth (pure).

A form is a flat JSON schema, as MCP's elicitation has it (modelcontextprotocol.io, "Elicitation"): texts, numbers, yes
or no, one of several values, or several of them.
"""

import math
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, Literal, cast
from urllib.parse import urlsplit

MOST_FIELDS = 20
"""Fields of a form; who is asked more gives up."""
MOST_OPTIONS = 50
"""Values to choose from; more do not fit a message."""
_LABEL = 60
"""Characters of a value's name that are shown."""

type FieldKind = Literal["text", "number", "whole", "truth", "one", "several"]
type Value = str | int | float | bool | list[str]

_KINDS: dict[str, FieldKind] = {"string": "text", "number": "number", "integer": "whole", "boolean": "truth"}
_WORDS: dict[str, bool] = {
    "yes": True,
    "y": True,
    "true": True,
    "1": True,
    "no": False,
    "n": False,
    "false": False,
    "0": False,
}
_MAIL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")


class NotAnAnswer(ValueError):  # noqa: N818 - a person's answer is no error of ours
    """The field cannot take this; the message says what it takes."""


class NotAForm(ValueError):  # noqa: N818 - a server's form is no error of ours
    """A schema that is no form which a person can fill in."""


@dataclass(frozen=True, slots=True)
class FormField:
    """One field."""

    name: str
    kind: FieldKind
    required: bool
    title: str
    about: str = ""
    options: tuple[tuple[Any, str], ...] = ()
    """Values to choose from, each with its name."""
    rules: Mapping[str, Any] = field(default_factory=dict[str, Any])

    @property
    def labels(self) -> tuple[str, ...]:
        """What is offered to choose from."""
        return ("Yes", "No") if self.kind == "truth" else tuple(label for _, label in self.options)

    def of_option(self, place: int) -> Value:
        """The value of what was chosen."""
        if self.kind == "truth":
            return place == 0
        return self.options[place][0]

    def read(self, words: str) -> Value:
        """The value of what a person wrote.

        Raises:
            NotAnAnswer: it is none.
        """
        said = words.strip()
        if self.kind == "several":
            return self._several(said)
        if self.options:
            return self._one(said)
        match self.kind:
            case "truth":
                if said.casefold() not in _WORDS:
                    raise NotAnAnswer("Please answer yes or no.")
                return _WORDS[said.casefold()]
            case "number" | "whole":
                return self._number(said)
            case _:
                return self._text(said)

    def _one(self, said: str) -> Value:
        for place, (value, label) in enumerate(self.options, 1):
            if said.casefold() in {str(value).casefold(), label.casefold(), str(place)}:
                return value
        raise NotAnAnswer("Please choose one of the values above.")

    def _several(self, said: str) -> list[str]:
        chosen = [str(self._one(part.strip())) for part in re.split(r"[,;\n]", said) if part.strip()]
        chosen = list(dict.fromkeys(chosen))
        least, most = self._bounds("minItems", "maxItems")
        if not least <= len(chosen) <= most:
            raise NotAnAnswer(f"Please choose {_between(least, most)} of the values above.")
        return chosen

    def _number(self, said: str) -> int | float:
        try:
            number = int(said) if self.kind == "whole" else float(said.replace(",", "."))
        except ValueError:
            number = math.nan
        least, most = self._bounds("minimum", "maximum", lowest=-math.inf)
        if not math.isfinite(number) or not least <= number <= most:
            kind = "a whole number" if self.kind == "whole" else "a number"
            raise NotAnAnswer(f"Please write {kind}{_bounded(least, most)}.")
        return int(number) if number == int(number) else number

    def _text(self, said: str) -> str:
        least, most = self._bounds("minLength", "maxLength")
        if not least <= len(said) <= most:
            raise NotAnAnswer(f"Please write {_between(least, most)} characters.")
        known = _FORMATS.get(str(self.rules.get("format")))
        if known is not None and not known[0](said):
            raise NotAnAnswer(f"Please write {known[1]}.")
        return said

    def _bounds(self, low: str, high: str, *, lowest: float = 0) -> tuple[float, float]:
        return _number_or(self.rules.get(low), lowest), _number_or(self.rules.get(high), math.inf)


def fields_of(schema: object) -> tuple[FormField, ...]:
    """The fields of a form, in its order.

    Raises:
        NotAForm: a person cannot fill it in.
    """
    said: Mapping[str, Any] = cast("Mapping[str, Any]", schema) if isinstance(schema, dict) else {}
    properties: Any = said.get("properties", {})
    required: Any = said.get("required", [])
    if not isinstance(properties, dict) or not isinstance(required, list):
        raise NotAForm("its schema names no fields")
    items = cast("Mapping[str, Any]", properties).items()
    if len(items) > MOST_FIELDS:
        raise NotAForm(f"it has more than {MOST_FIELDS} fields")
    return tuple(_field(name, spec, required=name in required) for name, spec in items)


def _field(name: str, spec: object, *, required: bool) -> FormField:
    if not isinstance(spec, dict):
        raise NotAForm(f"its field {name[:_LABEL]} has no schema")
    rules = cast("Mapping[str, Any]", spec)
    several = rules.get("type") == "array"
    options = _options(rules.get("items") if several else rules)
    kind = "several" if several else "one" if options else _KINDS.get(str(rules.get("type")))
    if kind is None or (several and not options):
        raise NotAForm(f"its field {name[:_LABEL]} is of a kind that a form does not have")
    if len(options) > MOST_OPTIONS:
        raise NotAForm(f"its field {name[:_LABEL]} has more than {MOST_OPTIONS} values")
    return FormField(
        name, kind, required, str(rules.get("title") or name), str(rules.get("description") or ""), options, rules
    )


def _options(rules: object) -> tuple[tuple[Any, str], ...]:
    said: Mapping[str, Any] = cast("Mapping[str, Any]", rules) if isinstance(rules, dict) else {}
    values, names = said.get("enum"), said.get("enumNames")
    if isinstance(values, list) and values:
        listed = cast("list[Any]", values)
        labels: Sequence[Any] = cast("list[Any]", names) if isinstance(names, list) else listed
        return tuple((value, str(label)[:_LABEL]) for value, label in zip(listed, labels or listed, strict=False))
    for form in ("oneOf", "anyOf"):
        titled: Any = said.get(form)
        if isinstance(titled, list) and titled:
            each = [cast("Mapping[str, Any]", one) for one in cast("list[Any]", titled) if isinstance(one, dict)]
            return tuple((one["const"], str(one.get("title", one["const"]))[:_LABEL]) for one in each if "const" in one)
    return ()


def _number_or(value: object, otherwise: float) -> float:
    return value if isinstance(value, int | float) and not isinstance(value, bool) else otherwise


def _between(least: float, most: float) -> str:
    return f"at least {least:g}" if most == math.inf else f"{least:g} to {most:g}"


def _bounded(least: float, most: float) -> str:
    if (least, most) == (-math.inf, math.inf):
        return ""
    if most == math.inf:
        return f" of {least:g} or more"
    return f" of {most:g} or less" if least == -math.inf else f" from {least:g} to {most:g}"


def _reads(read: Callable[[str], object]) -> Callable[[str], bool]:
    def fits(said: str) -> bool:
        try:
            read(said)
        except ValueError:
            return False
        return True

    return fits


def _is_address(said: str) -> bool:
    parts = urlsplit(said)
    return bool(parts.scheme and (parts.netloc or parts.path))


_FORMATS: dict[str, tuple[Callable[[str], bool], str]] = {
    "email": (lambda said: _MAIL.fullmatch(said) is not None, "an e-mail address"),
    "uri": (lambda said: _reads(urlsplit)(said) and _is_address(said), "an address such as https://example.org"),
    "date": (_reads(date.fromisoformat), "a date such as 2026-12-31"),
    "date-time": (_reads(datetime.fromisoformat), "a date and a time such as 2026-12-31T18:00:00Z"),
}
