import re
from datetime import timedelta
from pathlib import Path

import pytest

from tasks.config.environ import merged
from tasks.config.settings import KEPT_CARDS, Settings, env_name, load
from tasks.errors import Misconfigured


def test_the_environment_is_read_with_units() -> None:
    settings = load({"COHORT_HEARTBEAT_TTL": "7.5", "COHORT_ALLOW": "1, -100 3", "COHORT_MODELS": "haiku,gpt"})
    assert settings.heartbeat_ttl == timedelta(seconds=7.5)
    assert settings.allow == (1, -100, 3)
    assert settings.models == ("haiku", "gpt")


BLANKS = ("", " ", "\t \n", "\u00a0")


@pytest.mark.promise("blank-is-unset")
@pytest.mark.parametrize("name", [env_name(field) for field in Settings.model_fields])
def test_a_blank_value_is_the_same_as_none_for_every_setting(name: str) -> None:
    for blank in BLANKS:
        assert load({name: blank}) == load({}), repr(blank)


@pytest.mark.promise("blank-is-unset")
def test_a_blank_variable_leaves_what_the_file_says(tmp_path: Path) -> None:
    file = tmp_path / ".env"
    file.write_text("COHORT_LANES=3\nCOHORT_WORKERS=\nANTHROPIC_API_KEY=' '\n")
    found = merged({"COHORT_LANES": " ", "COHORT_SLOTS": "8", "COHORT_MODEL": ""}, file)
    assert found == {"COHORT_LANES": "3", "COHORT_SLOTS": "8"}


@pytest.mark.promise("settings-clear")
def test_a_file_that_cannot_be_read_as_settings_is_one_clear_line_and_never_left_out(tmp_path: Path) -> None:
    file = tmp_path / ".env"
    assert merged({}, file) == {}
    file.write_bytes("TELEGRAM_BOT_TOKEN=1:é".encode("latin-1"))
    with pytest.raises(Misconfigured, match=r"^[^\n]*\.env: is not UTF-8 text$"):
        merged({}, file)
    file.unlink()
    file.mkdir()
    with pytest.raises(Misconfigured, match=r"^[^\n]*\.env: cannot be read \(Is a directory\)$"):
        merged({}, file)


@pytest.mark.promise("settings-clear")
def test_another_file_can_be_named_and_must_then_be_there(tmp_path: Path) -> None:
    named = tmp_path / "cohort.env"
    with pytest.raises(Misconfigured, match=r"^COHORT_ENV_FILE: there is no file [^\n]+$"):
        merged({"COHORT_ENV_FILE": str(named)})
    named.write_text("COHORT_LANES=3\n")
    assert merged({"COHORT_ENV_FILE": str(named)})["COHORT_LANES"] == "3"


def test_a_byte_order_mark_is_no_part_of_the_first_name(tmp_path: Path) -> None:
    file = tmp_path / ".env"
    file.write_bytes(b"\xef\xbb\xbfCOHORT_LANES=3\r\nCOHORT_SLOTS=8\r\n")
    assert merged({}, file) == {"COHORT_LANES": "3", "COHORT_SLOTS": "8"}


@pytest.mark.promise("webhook")
@pytest.mark.parametrize("blank", BLANKS)
def test_a_webhook_with_a_blank_secret_does_not_start(blank: str) -> None:
    with pytest.raises(Misconfigured, match=r"^COHORT_WEBHOOK_SECRET: required"):
        load({"COHORT_WEBHOOK_URL": "https://a.example", "COHORT_WEBHOOK_SECRET": blank})


@pytest.mark.promise("webhook")
@pytest.mark.parametrize(
    "secret", ["short", "x" * 15, "x" * 257, "sixteen chars ok", "é" * 20, "a" * 10 + "\n" + "a" * 10, "a.b" * 9]
)
def test_a_webhook_secret_is_long_and_of_telegrams_alphabet(secret: str) -> None:
    with pytest.raises(Misconfigured) as problem:
        load({"COHORT_WEBHOOK_URL": "https://a.example", "COHORT_WEBHOOK_SECRET": secret})
    assert str(problem.value).startswith("COHORT_WEBHOOK_SECRET: must be 16 to 256 characters")
    assert secret not in str(problem.value)


@pytest.mark.promise("settings-clear")
@pytest.mark.parametrize(
    ("environ", "line"),
    [
        ({"COHORT_WORKER": "2"}, "COHORT_WORKER: no such setting; did you mean COHORT_WORKERS?"),
        ({"COHORT_LANES": "many"}, "COHORT_LANES: must be a whole number"),
        ({"COHORT_LANES": "0"}, "COHORT_LANES: must be 1 or more"),
        ({"TELEGRAM_BOT_TOKEN": "hunter2"}, "TELEGRAM_BOT_TOKEN: does not look like a bot token"),
        ({"COHORT_DRAIN_GRACE": "soon"}, "COHORT_DRAIN_GRACE: is not a number of seconds"),
        ({"REDIS_URL": "localhost"}, "REDIS_URL: is not a URL"),
        ({"REDIS_URL": "unix:///run/redis.sock"}, "REDIS_URL: is not a Redis URL"),
        ({"REDIS_URL": "redis://localhost?db=3"}, "REDIS_URL: only ssl_* query parameters are supported"),
        ({"COHORT_ACCESS": "all"}, "COHORT_ACCESS: must be pairing, allowlist or open"),
        ({"COHORT_WEBHOOK_URL": "https://a.example"}, "COHORT_WEBHOOK_SECRET: required"),
        ({"TELEGRAM_BOT_TOKEN": "\u00b2:abc"}, "TELEGRAM_BOT_TOKEN: does not look like a bot token"),
        ({"COHORT_COMMANDS": "news,/roll"}, "COHORT_COMMANDS: '/roll' is no command: 1 to 32 of a-z, 0-9 and _"),
        ({"COHORT_COMMANDS": "News"}, "COHORT_COMMANDS: 'News' is no command"),
        ({"COHORT_COMMANDS": "r\u00f6ll"}, "COHORT_COMMANDS: 'r\u00f6ll' is no command"),
        ({"COHORT_COMMANDS": "a" * 33}, "COHORT_COMMANDS: '"),
        ({"COHORT_COMMANDS": ",".join(f"c{n}" for n in range(101))}, "COHORT_COMMANDS: has 101 commands"),
        ({"COHORT_FLOWER_HOSTS": "https://flower.example/"}, "COHORT_FLOWER_HOSTS: names hosts alone"),
    ],
)
def test_a_bad_setting_is_one_clear_line(environ: dict[str, str], line: str) -> None:
    with pytest.raises(Misconfigured) as problem:
        load(environ)
    assert str(problem.value).startswith(line)
    assert "\n" not in str(problem.value)


def test_redis_may_be_reached_by_tls_with_its_certificate_unchecked() -> None:
    url = "rediss://:secret@redis.example:6380/3?ssl_cert_reqs=none"
    assert load({"REDIS_URL": url}).redis == url


def test_every_bad_setting_is_told_at_once() -> None:
    with pytest.raises(Misconfigured) as problem:
        load({"COHORT_LANES": "x", "COHORT_SLOTS": "-1", "COHORT_NOPE": ""})
    assert len(str(problem.value).splitlines()) == 3


def test_a_bad_value_that_is_secret_is_not_repeated() -> None:
    with pytest.raises(Misconfigured) as problem:
        load({"TELEGRAM_BOT_TOKEN": "my secret"})
    assert "secret" not in str(problem.value).replace("TELEGRAM", "")


def test_every_setting_says_what_it_is() -> None:
    names = [env_name(field) for field in Settings.model_fields]
    assert len(names) == len(set(names))
    assert all(
        name.startswith("COHORT_") or name in {"TELEGRAM_BOT_TOKEN", "TELEGRAM_BASE_URL", "REDIS_URL", "FLOWER_PORT"}
        for name in names
    )


def test_the_token_is_never_shown() -> None:
    settings = load({"TELEGRAM_BOT_TOKEN": "1:hush"})
    assert "hush" not in repr(settings)
    assert settings.token == "1:hush"
    assert settings.bot_id == 1


@pytest.mark.parametrize("around", ["\n", "\r", "\r\n", " ", "\t"])
def test_blanks_and_line_ends_around_a_value_are_no_part_of_it(around: str) -> None:
    given = {"COHORT_MODEL": "sonnet", "COHORT_AGENT": "chef", "COHORT_HOME": "home", "COHORT_ACCESS": "open"}
    secrets = {"TELEGRAM_BOT_TOKEN": "1:hush", "COHORT_WEBHOOK_SECRET": "a" * 20, "REDIS_URL": "redis://r:6379/0"}
    clean = given | secrets
    assert load({name: value + around for name, value in clean.items()}) == load(clean)


def test_a_named_configuration_that_is_gone_ends_a_first_start_and_no_later_one(tmp_path: Path) -> None:
    environ = {"COHORT_CONFIG": str(tmp_path / "gone.yaml"), "COHORT_HOME": str(tmp_path / "home")}
    with pytest.raises(Misconfigured, match=r"gone\.yaml: there is no such file"):
        load(environ)
    (tmp_path / "home" / KEPT_CARDS).mkdir(parents=True)
    assert load(environ).config == tmp_path / "gone.yaml"


@pytest.mark.promise("settings-clear")
@pytest.mark.parametrize("value", ["9" * 5_000, "x" * 5_000, "a\nb"])
@pytest.mark.parametrize("name", [env_name(field) for field in Settings.model_fields])
def test_whatever_a_setting_holds_is_taken_or_refused_in_a_line_that_can_be_read(name: str, value: str) -> None:
    said = ""
    try:
        load({name: value})
    except Misconfigured as problem:
        said = str(problem)
    assert [line for line in said.splitlines() if len(line) > 700 or not re.match(r"[A-Z_]+: ", line)] == []
