"""Every setting: one frozen object, read once from the environment and ``.env``."""

import difflib
import hmac
from collections.abc import Mapping
from functools import cache
from pathlib import Path

from pydantic import ConfigDict, ValidationError, model_validator

from tasks.config import environ as environment
from tasks.config.fastagent_config import found_configuration
from tasks.config.fields import SettingFields
from tasks.config.forms import callback, in_words
from tasks.errors import Misconfigured
from tasks.http.addresses import is_loopback

KEPT_CARDS = "kept-cards"
"""In the state directory: the cards and the configuration that agents were last made of."""


class Settings(SettingFields):
    """What an operator has set, and what follows from it."""

    # No populate_by_name: only the names that operators set are read. Defaults are given in the form that is written.
    model_config = ConfigDict(frozen=True, extra="ignore", validate_default=True)

    @model_validator(mode="before")
    @classmethod
    def _find_configuration(cls, given: dict[str, object]) -> dict[str, object]:
        if given.get("COHORT_CONFIG"):
            return given
        default: Path = cls.model_fields["config"].default
        # What is not there is not set: workers need no configuration, unless one is named.
        found = found_configuration(default)
        return given if found == default else {**given, "COHORT_CONFIG": found}

    @property
    def bot_id(self) -> int:
        """The bot's id: the number before the colon of its token.

        Raises:
            Misconfigured: no token is set.
        """
        if self.telegram_bot_token is None:
            raise Misconfigured(
                "TELEGRAM_BOT_TOKEN is not set; get one from @BotFather, or use `cohort up` without one"
            )
        return int(self.telegram_bot_token.get_secret_value().partition(":")[0])

    @property
    def token(self) -> str:
        """The token in the clear, for the client only.

        Raises:
            Misconfigured: no token is set.
        """
        if self.telegram_bot_token is None:
            raise Misconfigured(
                "TELEGRAM_BOT_TOKEN is not set; get one from @BotFather, or use `cohort up` without one"
            )
        return self.telegram_bot_token.get_secret_value()

    @property
    def webhook_token(self) -> str:
        """What Telegram sends with each update of this bot.

        Of several bots each has one that follows from the secret and its id: one bot's opens no other bot's address.
        It does not follow from the token, which BotFather may change while updates are on their way.

        Raises:
            Misconfigured: there is no secret, so that each request would pass.
        """
        if self.webhook_secret is None:
            raise Misconfigured("COHORT_WEBHOOK_SECRET: required with COHORT_WEBHOOK_URL")
        secret = self.webhook_secret.get_secret_value()
        if self.bots is None:
            return secret
        return hmac.digest(secret.encode(), f"cohort webhook {self.bot_id}".encode(), "sha256").hex()

    @property
    def secret_keys(self) -> tuple[str, ...]:
        """The keys in the clear, for the box that seals with them only."""
        said = self.secret_key.get_secret_value().split(",") if self.secret_key is not None else ()
        return tuple(key.strip() for key in said)

    @property
    def callback_url(self) -> str:
        """Where login pages lead back to."""
        return callback(self.public_url, self.webhook_port)

    @property
    def redis(self) -> str:
        """The Redis URL.

        Raises:
            Misconfigured: none is set.
        """
        if self.redis_url is None:
            raise Misconfigured("REDIS_URL is not set; `cohort up` brings its own Valkey, single processes need one")
        return self.redis_url


def env_name(field: str) -> str:
    """The environment variable of a field."""
    return str(Settings.model_fields[field].alias)


@cache
def _names() -> frozenset[str]:
    """The environment variables of all fields."""
    return frozenset(env_name(field) for field in Settings.model_fields)


_SHOWN = 500
"""Characters of a value in what is said of it."""


def _there(file: Path) -> bool:
    try:
        return file.is_file()
    except (OSError, ValueError):  # a name that no file can have
        return False


def load(environ: Mapping[str, str] | None = None) -> Settings:
    """Read the settings: from ``environ``, else from the process's environment and ``.env``. Blank values are none.

    Raises:
        Misconfigured: with one line for each bad value and each unknown ``COHORT_*`` name.
    """
    seen = environment.merged() if environ is None else environ
    known = _names()
    lines: list[str] = []
    for name in sorted(seen):
        if name.startswith("COHORT_") and name not in known:
            near = difflib.get_close_matches(name, known, n=1)
            lines.append(f"{name}: no such setting" + (f"; did you mean {near[0]}?" if near else ""))
    said = environment.said(seen)
    configuration = said.get("COHORT_CONFIG", "").strip()
    home = Path(said.get("COHORT_HOME", "").strip() or Settings.model_fields["home"].default)
    # Workers go on with the copy that is kept of it (``tasks.operator_files.kept_cards``), and say so.
    if configuration and not _there(Path(configuration)) and not (home / KEPT_CARDS).is_dir():
        lines.append(f"COHORT_CONFIG: {' '.join(configuration[:_SHOWN].split())}: there is no such file")
    try:
        # Secrets from files end in a newline, and lines of files from Windows in a carriage return.
        given = {name: value.strip() for name, value in said.items()}
        settings = Settings(**given)  # pyright: ignore[reportArgumentType]
    except ValidationError as problem:
        for error in problem.errors(include_url=False, include_input=False):
            name = str(error["loc"][0]) if error["loc"] else "settings"
            lines.append(f"{name}: {in_words(error)}")
        raise Misconfigured("\n".join(lines)) from None
    lines += _missing(settings)
    if lines:
        raise Misconfigured("\n".join(lines))
    return settings


def _missing(settings: Settings) -> list[str]:
    """What other settings require."""
    lines: list[str] = []
    if settings.webhook_url and settings.webhook_secret is None:
        lines.append("COHORT_WEBHOOK_SECRET: required with COHORT_WEBHOOK_URL")
    if settings.console_auth is None and not is_loopback(settings.console_host):
        lines.append("COHORT_CONSOLE_AUTH: required with another COHORT_CONSOLE_HOST than 127.0.0.1")
    if settings.console_auth is None and settings.console_text:
        lines.append("COHORT_CONSOLE_AUTH: required with COHORT_CONSOLE_TEXT")
    if settings.bots is not None and settings.bot is None and settings.webhook_url:
        lines.append(
            "COHORT_WEBHOOK_URL: with COHORT_BOTS each bot has its own: set webhook_url and webhook_port there"
        )
    if settings.bots is not None and settings.public_url:
        lines.append("COHORT_PUBLIC_URL: not with COHORT_BOTS, as it leads to one bot; people paste the address")
    return lines
