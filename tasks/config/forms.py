"""In which form a setting is written: durations, lists, addresses, tokens (pure)."""

import re
from collections.abc import Mapping
from datetime import timedelta
from typing import Annotated, Any, cast

from pydantic import AfterValidator, BeforeValidator, SecretStr

from tasks.config import redis_url
from tasks.config.worker_count import WorkerCount
from tasks.text import is_digits

# Telegram's alphabet and greatest length (setWebhook); at least 16 characters, because each request may try one.
_SECRET = re.compile(r"[A-Za-z0-9_-]{16,256}")
COMMAND = re.compile(r"[a-z0-9_]{1,32}")
MENU = 100
"""Commands of a menu, and their form (Bot API, "setMyCommands")."""
_LEAST_KEY = 32


def _seconds(value: object) -> object:
    """Durations are written as seconds; pydantic takes bare digits in text for something else."""
    try:
        return timedelta(seconds=float(value)) if isinstance(value, str) else value
    except (ValueError, OverflowError):
        raise ValueError(f"is not a number of seconds: {str(value)[:60]!r}") from None


def _parted(value: object) -> object:
    """Lists are written with commas or blanks."""
    return tuple(value.replace(",", " ").split()) if isinstance(value, str) else value


def _hosts(value: tuple[str, ...]) -> tuple[str, ...]:
    if any("/" in name for name in value):
        raise ValueError("names hosts alone (flower.example, or flower.example:8443), without https:// or a path")
    return value


def _commands(value: tuple[str, ...]) -> tuple[str, ...]:
    for name in value:
        if not COMMAND.fullmatch(name):
            raise ValueError(f"{name[:60]!r} is no command: 1 to 32 of a-z, 0-9 and _, without a slash")
    if len(value) > MENU:
        raise ValueError(f"has {len(value)} commands, and a menu of Telegram's takes {MENU}")
    return value


def _token(value: SecretStr) -> SecretStr:
    number, _, secret = value.get_secret_value().partition(":")
    if not is_digits(number) or not secret or any(c.isspace() for c in secret):
        raise ValueError("does not look like a bot token (expected 123456:ABC...)")
    return value


def _url(value: str) -> str:
    if "://" not in value:
        raise ValueError("is not a URL (expected scheme://host...)")
    return value.rstrip("/")


def _redis(value: str) -> str:
    """What redis-py and Celery's transport both understand, and in the same way."""
    redis_url.check(value)
    return value


def _secret(value: SecretStr) -> SecretStr:
    if not _SECRET.fullmatch(value.get_secret_value()):
        raise ValueError("must be 16 to 256 characters of A-Z a-z 0-9 _ - (make one: openssl rand -hex 32)")
    return value


_PASSWORD = 12
"""Characters of a password at least: each request may try one."""


def _login(value: SecretStr) -> SecretStr:
    user, _, password = value.get_secret_value().partition(":")
    if not user or len(password) < _PASSWORD or not (user + password).isprintable():
        raise ValueError(f"must be user:password, with {_PASSWORD} characters of a password or more")
    return value


type LoginSetting = Annotated[SecretStr, AfterValidator(_login)]


def _secret_keys(value: SecretStr) -> SecretStr:
    for key in value.get_secret_value().split(","):
        if len(key.strip()) < _LEAST_KEY or not key.strip().isascii():
            raise ValueError("each key has at least 32 characters (make one: openssl rand -hex 32)")
    return value


FILE_KINDS = ("image", "pdf", "video", "audio", "ogg", "m4a", "flac")
"""Kinds of files that a model can be said to read. Servers differ in the formats of sound that they take: all take
those of `audio`."""


def _model_reads(value: object) -> object:
    """Each model with what it reads: ``generic.llava=image,pdf generic.other=image``."""
    if not isinstance(value, str):
        return value
    reads: dict[str, tuple[str, ...]] = {}
    for said in value.replace(";", " ").split():
        model, _, kinds = said.rpartition("=")
        named = tuple(kind for kind in kinds.split(",") if kind)
        if not model or not named or not set(named) <= set(FILE_KINDS):
            raise ValueError(f"must be MODEL={','.join(FILE_KINDS)}, several with blanks between them")
        reads[model] = named
    return reads


type ModelReads = Annotated[Mapping[str, tuple[str, ...]], BeforeValidator(_model_reads)]
type Workers = Annotated[WorkerCount, BeforeValidator(WorkerCount.parse)]
type Duration = Annotated[timedelta, BeforeValidator(_seconds)]
type NameList = Annotated[tuple[str, ...], BeforeValidator(_parted)]
type Ids = Annotated[tuple[int, ...], BeforeValidator(_parted)]
type CommandNames = Annotated[NameList, AfterValidator(_commands)]
type Hosts = Annotated[tuple[str, ...], BeforeValidator(_parted), AfterValidator(_hosts)]
type Token = Annotated[SecretStr, AfterValidator(_token)]
type Url = Annotated[str, AfterValidator(_url)]
type RedisUrl = Annotated[Url, AfterValidator(_redis)]
type SecretKeys = Annotated[SecretStr, AfterValidator(_secret_keys)]
type Secret = Annotated[SecretStr, AfterValidator(_secret)]

CALLBACK_PATH = "/oauth/callback"
"""Of the bot's address: where login pages lead back to."""


def callback(address: str | None, port: int) -> str:
    """The whole address; without one of the bot's own, that of this machine."""
    return f"{address or f'http://127.0.0.1:{port}'}{CALLBACK_PATH}"


def in_words(error: Mapping[str, Any]) -> str:
    """What is wrong with a value, from one of pydantic's errors."""
    context: Mapping[str, Any] = error.get("ctx", {})
    match error["type"]:
        case "bool_parsing" | "bool_type":
            return "must be on or off"
        case "int_parsing" | "int_parsing_size" | "int_from_float" | "int_type":
            return "must be a whole number"
        case "greater_than_equal":
            return f"must be {_bound(context['ge'])} or more"
        case "greater_than":
            return f"must be more than {_bound(context['gt'])}"
        case "less_than_equal":
            return f"must be {_bound(context['le'])} at most"
        case "literal_error":
            return f"must be {context['expected'].replace("'", '')}"
        case _:
            return str(error["msg"]).removeprefix("Value error, ")


def _bound(value: object) -> str:
    """A number, or a duration, of which pydantic gives the Python."""
    return re.sub(r"datetime\.timedelta\((?:seconds=)?(\d+)\)", r"\1", str(value))


def as_written(value: object) -> str:
    """A setting's value as the environment would have it."""
    match value:
        case bool():
            return "on" if value else "off"
        case timedelta():
            return f"{value.total_seconds():g}"
        case tuple():
            return ",".join(map(str, cast("tuple[object, ...]", value)))
        case Mapping():
            read = cast("Mapping[str, tuple[str, ...]]", value)
            return " ".join(f"{model}={','.join(kinds)}" for model, kinds in read.items())
        case _:
            return "" if value is None else str(value)
