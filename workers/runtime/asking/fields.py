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

from tasks.phrases import phrase

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
        return (
            (phrase("button-yes"), phrase("button-no"))
            if self.kind == "truth"
            else tuple(label for _, label in self.options)
        )

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
                own = {phrase("button-yes").casefold(): True, phrase("button-no").casefold(): False}
                truth = (_WORDS | own).get(said.casefold())
                if truth is None:
                    raise NotAnAnswer(phrase("form-yes-or-no"))
                return truth
            case "number" | "whole":
                return self._number(said)
            case _:
                return self._text(said)

    def _one(self, said: str) -> Value:
        for place, (value, label) in enumerate(self.options, 1):
            if said.casefold() in {str(value).casefold(), label.casefold(), str(place)}:
                return value
        raise NotAnAnswer(phrase("form-one-of"))

    def _several(self, said: str) -> list[str]:
        chosen = [str(self._one(part.strip())) for part in re.split(r"[,;\n]", said) if part.strip()]
        chosen = list(dict.fromkeys(chosen))
        least, most = self._bounds("minItems", "maxItems")
        if not least <= len(chosen) <= most:
            raise NotAnAnswer(phrase("form-so-many-of", range=_range(least, most)))
        return chosen

    def _number(self, said: str) -> int | float:
        try:
            number = int(said) if self.kind == "whole" else float(said.replace(",", "."))
        except ValueError:
            number = math.nan
        least, most = self._bounds("minimum", "maximum", lowest=-math.inf)
        if not math.isfinite(number) or not least <= number <= most:
            raise NotAnAnswer(_a_number(_range(least, most), whole=self.kind == "whole"))
        return int(number) if number == int(number) else number

    def _text(self, said: str) -> str:
        least, most = self._bounds("minLength", "maxLength")
        if not least <= len(said) <= most:
            raise NotAnAnswer(phrase("form-characters", range=_range(least, most)))
        form = str(self.rules.get("format"))
        if form in _FORMATS and not _FORMATS[form](said):
            raise NotAnAnswer(phrase(f"form-{form}"))
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


def _range(least: float, most: float) -> str:
    """From where to where, in words; empty where all is allowed."""
    if most == math.inf:
        return phrase("range-least", least=f"{least:g}") if least > -math.inf else ""
    if least == -math.inf:
        return phrase("range-most", most=f"{most:g}")
    return phrase("range-between", least=f"{least:g}", most=f"{most:g}")


def _a_number(within: str, *, whole: bool) -> str:
    if whole:
        return phrase("form-whole-in", range=within) if within else phrase("form-whole")
    return phrase("form-number-in", range=within) if within else phrase("form-number")


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


_FORMATS: dict[str, Callable[[str], bool]] = {
    "email": lambda said: _MAIL.fullmatch(said) is not None,
    "uri": lambda said: _reads(urlsplit)(said) and _is_address(said),
    "date": _reads(date.fromisoformat),
    "date-time": _reads(datetime.fromisoformat),
}
"""What is asked for again by ``form-NAME``."""
