"""What the environment and ``.env`` say, as one mapping. A blank value is the same as none."""

import io
import os
from collections.abc import Mapping
from pathlib import Path

from dotenv import dotenv_values

from tasks.errors import Misconfigured

FILE = Path(".env")
NAME = "COHORT_ENV_FILE"
"""Names another file."""


def merged(own: Mapping[str, str] | None = None, file: Path | None = None) -> dict[str, str]:
    """The environment over the file's lines: a variable of the environment wins, unless it is blank.

    A blank value says nothing, wherever it stands: compose files and shells pass on variables that are not set as
    ``NAME=``, and a secret that is empty would protect nothing.

    Raises:
        Misconfigured: the file is there and cannot be read, or is named and not there.
    """
    given = said(os.environ if own is None else own)
    named = Path(given[NAME]) if NAME in given else None
    if named is not None and not named.exists():
        raise Misconfigured(f"{NAME}: there is no file {named}")
    return {**written(file or named or FILE), **given}


def said(values: Mapping[str, str | None]) -> dict[str, str]:
    """The values that say something."""
    return {name: value for name, value in values.items() if value is not None and value.strip()}


def written(file: Path) -> dict[str, str]:
    """What a file of variables says; one that is missing says nothing.

    Raises:
        Misconfigured: it cannot be read.
    """
    try:
        # Not as dotenv reads it: a byte order mark would be part of the first name.
        return said(dotenv_values(stream=io.StringIO(file.read_text(encoding="utf-8-sig"))))
    except FileNotFoundError:
        if file.is_symlink():
            raise Misconfigured(f"{file}: is a link that leads nowhere") from None
        return {}
    except OSError as problem:
        raise Misconfigured(f"{file}: cannot be read ({problem.strerror})") from None
    except UnicodeDecodeError:
        raise Misconfigured(f"{file}: is not UTF-8 text") from None
