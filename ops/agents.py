"""What the operator wrote for fast-agent, as far as we must know it: which models and keys it names."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, cast

import yaml

from tasks.errors import Misconfigured
from tasks.settings import Settings

SUFFIXES = (".md", ".markdown", ".yaml", ".yml")


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except OSError as problem:
        raise Misconfigured(f"{path}: cannot be read ({problem.strerror})") from problem
    except UnicodeDecodeError as problem:
        raise Misconfigured(f"{path}: is not UTF-8 text") from problem


def _mapping(path: Path, text: str) -> dict[str, Any]:
    try:
        read: object = yaml.safe_load(text)
    except yaml.YAMLError as problem:
        where = getattr(problem, "problem_mark", None)
        line = f", line {where.line + 1}" if where is not None else ""
        raise Misconfigured(f"{path}{line}: is not YAML") from problem
    if read is None:
        return {}
    if not isinstance(read, dict):
        raise Misconfigured(f"{path}: is not a YAML mapping")
    return cast("dict[str, Any]", read)


def configuration(settings: Settings) -> dict[str, Any]:
    """The configuration file with the secrets file beside it merged in, section by section.

    Raises:
        Misconfigured: a file is missing or is not YAML.
    """
    if not settings.config.is_file():
        raise Misconfigured(f"COHORT_CONFIG: there is no file {settings.config}")
    merged = _mapping(settings.config, _text(settings.config))
    secrets = settings.config.with_name("fastagent.secrets.yaml")
    if secrets.is_file():
        for section, value in _mapping(secrets, _text(secrets)).items():
            known = merged.get(section)
            both = isinstance(known, Mapping) and isinstance(value, Mapping)
            merged[section] = {**cast("Mapping[str, Any]", known), **value} if both else value
    return merged


def card_files(settings: Settings) -> list[Path]:
    """The cards, in order of their names.

    Raises:
        Misconfigured: there is no such directory, or no card in it.
    """
    if not settings.cards.is_dir():
        raise Misconfigured(f"COHORT_CARDS: there is no directory {settings.cards}")
    found = sorted(path for path in settings.cards.iterdir() if path.suffix.lower() in SUFFIXES)
    if not found:
        raise Misconfigured(f"COHORT_CARDS: there is no card in {settings.cards}")
    return found


def card_heads(settings: Settings) -> list[tuple[Path, dict[str, Any]]]:
    """Each card's file and settings (its frontmatter).

    Raises:
        Misconfigured: there are none, or one is not YAML.
    """
    heads: list[tuple[Path, dict[str, Any]]] = []
    for path in card_files(settings):
        text = _text(path)
        if path.suffix.lower() in {".md", ".markdown"}:
            parts = text.split("---", 2)
            text = parts[1] if len(parts) == 3 and not parts[0].strip() else ""  # noqa: PLR2004 - before, in, after
        heads.append((path, _mapping(path, text)))
    return heads


def card_models(settings: Settings) -> list[str | None]:
    """The model that each card names."""
    models = (head.get("model") for _, head in card_heads(settings))
    return [str(model) if model else None for model in models]
