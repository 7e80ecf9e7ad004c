"""What to do about text that is not YAML, in words for people who do not know its grammar."""

import re

import yaml

_ADVICE = (
    # What PyYAML says, of which place (where it stopped, or where the thing begins that it could not end), what to do.
    (r"found character '\\t' that cannot start", False, "indent with spaces, not with tabs"),
    (
        r"found character '(?P<sign>.)' that cannot start",
        False,
        "put a value that begins with {sign} in quotes",
    ),
    (r"mapping values are not allowed", False, "put a value that holds `: ` in quotes, or correct the indentation"),
    (r"found unexpected end of stream|found unexpected document separator", True, "close the quote that begins here"),
    (r"could not find expected ':'", False, "write `key: value`, and indent what goes on below its line"),
    (r"expected ',' or '(?P<sign>[]}])'", True, "close what begins here with {sign}"),
    (r"expected <block end>", False, "let keys of one level begin in one column, and close quotes"),
    (r"expected alphabetic or numeric character", False, "put a value that begins with * or & in quotes"),
    (r"found undefined alias", False, "put a value that begins with * in quotes"),
    (r"could not determine a constructor for the tag", False, "put a value that begins with ! in quotes"),
    (r"found unhashable key", False, "put a value that begins with {{ in quotes"),
    (r"but found another document", False, "take this line out, and what is below it"),
    (r"expected the node content", False, "close what is open above, or put the value in quotes"),
)


def advice(problem: yaml.YAMLError) -> tuple[int | None, str]:
    """The line of a problem, from 0, and what to do about it."""
    said = str(getattr(problem, "problem", None) or "")
    place = getattr(problem, "problem_mark", None)
    begins = getattr(problem, "context_mark", None) or place
    for pattern, at_beginning, what in _ADVICE:
        found = re.search(pattern, said)
        if found is not None:
            place = begins if at_beginning else place
            return None if place is None else place.line, what.format(**found.groupdict())
    return None if place is None else place.line, said or "check quotes and indentation"
