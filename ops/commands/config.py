"""``cohort config``: the effective settings, secrets masked, and where each comes from."""

import json
import os
import re
from collections.abc import Mapping
from typing import Annotated, Any
from urllib.parse import urlsplit, urlunsplit

import typer
from pydantic import SecretStr
from rich.console import Console
from rich.table import Table

from ops.context import Context, context
from tasks.config.environ import said
from tasks.config.forms import as_written
from tasks.config.settings import Settings, env_name

MASK = "********"


def masked(value: Any) -> str:
    """A setting for display: as it would be written, without secrets and passwords in URLs."""
    match value:
        case SecretStr():
            return MASK if value.get_secret_value() else ""
        case str() if "://" in value:
            return _without_password(value)
        case _:
            return as_written(value)


def _without_password(url: str) -> str:
    try:
        parts = urlsplit(url)
        parts = parts._replace(query=re.sub(r"(?<=password=)[^&]*", MASK, parts.query))
        if parts.username is None and parts.password is None:
            return urlunsplit(parts)
        place = parts.netloc.rpartition("@")[2]
        return urlunsplit(parts._replace(netloc=f"{MASK}@{place}"))
    except ValueError:
        return MASK


def source(name: str, here: Context, own: Mapping[str, str]) -> str:
    """The source of a variable's value."""
    if name in said(own):
        return "environment"
    if here.running is not None and name in here.running.env and here.running.env[name] == here.environ.get(name):
        return "the running system"
    if name in here.environ:
        return ".env"
    return "default"


def rows(here: Context, own: Mapping[str, str]) -> list[tuple[str, str, str]]:
    """(variable, value, source) in the order of the settings table."""
    return [
        (env_name(field), masked(getattr(here.settings, field)), source(env_name(field), here, own))
        for field in Settings.model_fields
    ]


def register(app: typer.Typer) -> None:
    """Add the command to the application."""
    app.command("config")(config)


def config(*, as_json: Annotated[bool, typer.Option("--json", help="Print JSON for programs.")] = False) -> None:
    """Show the effective settings (secrets masked) and where each comes from."""
    found = rows(context(), os.environ)
    if as_json:
        print(json.dumps({name: {"value": value, "source": where} for name, value, where in found}, indent=2))
        return
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("setting", no_wrap=True)
    table.add_column("value", overflow="fold")
    table.add_column("from", no_wrap=True)
    for name, value, where in found:
        table.add_row(name, value, where, style="dim" if where == "default" else "")
    Console(highlight=False).print(table)
