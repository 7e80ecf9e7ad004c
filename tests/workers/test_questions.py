"""What people see of a call that they are asked about: readable, bounded, without secrets, and nothing that hides."""

import json

import pytest

from workers.sessions.planning.questions import MASK, shown_arguments, tool_name


@pytest.mark.promise("no-secrets")
@pytest.mark.parametrize(
    ("arguments", "secret"),
    [
        ({"password": "hunter2"}, "hunter2"),
        ({"api_key": "abc"}, "abc"),
        ({"to": {"auth_token": "abc"}}, "abc"),
        ({"header": "Bearer abc.def"}, "abc.def"),
        ({"text": "my key is sk-abcdefgh12345"}, "sk-abcdefgh12345"),
        ({"url": "https://ann:hunter2@shop.example/x"}, "hunter2"),
        ({"token": ["a1", "b2"]}, "a1"),
        ({"url": "https://shop.example/x?api_key=hunter2&y=1"}, "hunter2"),
        ({"url": "https://shop.example/x?y=1&sig=hunter2"}, "hunter2"),
        ({"url": "https://shop.example/#access_token=hunter2"}, "hunter2"),
        ({"headers": [{"name": "Authorization", "value": "hunter2"}]}, "hunter2"),
        ({"name": "DB_PASSWORD", "value": "hunter2"}, "hunter2"),
        ({"headers": [["X-Auth", "hunter2"], ["token", "hunter2"]]}, '"token", "hunter2'),
        ({"headers": ["Authorization: hunter2 x", "Accept: y"]}, "hunter2"),
        ({"header": "Authorization: Token hunter2"}, "hunter2"),
        ({"env": ["DB_PASSWORD=hunter2"]}, "hunter2"),
        ({"command": "mysql --password hunter2 -u root"}, "hunter2"),
        ({"command": "PGPASSWORD='hunter2 hunter3' psql"}, "hunter"),
        ({"command": "curl -u ann:hunter2 https://shop.example"}, "hunter2"),
        ({"args": ["--token", "hunter2"]}, "hunter2"),
        ({"body": '{"user": {"password": "hunter2, hunter3"}}'}, "hunter"),
        ({"body": '{"inner": "{\\"password\\": \\"hunter2\\"}"}'}, "hunter2"),
        ({"file": "password: hunter2\nport: 1"}, "hunter2"),
        ({"dsn": "Server=db;User Id=ann;Password=hunter2;"}, "hunter2"),
        ({"text": "the password is hunter2"}, "hunter2"),
        ({"passwordConfirm": "hunter2"}, "hunter2"),
        ({"db": {"pwd": "hunter2"}}, "hunter2"),
        ({"password": "hunter2", "text": "x" * 300_000}, "hunter2"),
        ({"token": 123456}, "123456"),
        ({"tokens": "hunter2"}, "hunter2"),
        ({"tokens": ["hunter2"]}, "hunter2"),
        ({"tokens": 123456789012}, "123456789012"),
        ({"max_tokens": "hunter2"}, "hunter2"),
        ({"token_max": 4096}, "4096"),
        ({"access_tokens": 4096}, "4096"),
        ({"refresh_token": "4096"}, "4096"),
        ({"password": 4096}, "4096"),
        ({"pin": 4096}, "4096"),
        ({"password_count": 4096}, "4096"),
        ({"command": "login --token 4096"}, "4096"),
        ({"command": "login --max-tokens hunter2"}, "hunter2"),
        ({"text": "the token is 4096"}, "4096"),
        ({"env": ["MAX_TOKENS=hunter2"]}, "hunter2"),
        ({"client_secrets": "hunter2"}, "hunter2"),
        ({"bot": "123456789:AAHdqTcvCH1vGWJxfSeofSAs0K5PALDsawQ"}, "AAHdqTcvCH1vGWJx"),
    ],
)
def test_secrets_are_masked(arguments: dict[str, object], secret: str) -> None:
    shown = shown_arguments(json.dumps(arguments))
    assert secret not in shown
    assert MASK in shown


@pytest.mark.promise("no-secrets")
@pytest.mark.parametrize(
    "arguments",
    [
        {"author": "Ann", "keyboard": "de", "passenger": "Bob", "amount": 900},
        {"command": "ls -u root /tmp", "time": "18:00"},
        {"headers": ["Accept: text/plain", "Host: shop.example"]},
        {"tags": ["token", "ring", "bell"]},
        {"max_tokens": 4096, "tokens_used": 120, "token_count": 7, "maxTokens": "4096", "total_output_tokens": 1.5},
        {"usage": {"prompt_tokens": 1, "completionTokens": 2, "tokens": 3}, "token_limit": 100_000},
        {"requires_auth": True, "reset_password": False, "cookie": None, "api_key": None},
        {"tokenizer": "cl100k", "secretary": "Ann", "bypass": 1},
        {"command": "serve --max-tokens 4096 --n-tokens=7", "body": '{"max_tokens": 4096}', "env": ["MAX_TOKENS=5"]},
        {"text": "max_tokens=4096 and tokens_used: 12"},
    ],
)
def test_what_is_no_secret_is_shown(arguments: dict[str, object]) -> None:
    assert MASK not in shown_arguments(json.dumps(arguments))


def test_a_value_cannot_look_like_another_argument_or_hide_itself() -> None:
    shown = shown_arguments(json.dumps({"note": "a\namount: 1", "amount": 900, "back": "a\u202eb\u200bc"}))
    assert shown.splitlines() == ['note: "a\\namount: 1"', "amount: 900", 'back: "a\\u202eb\\u200bc"']


def test_what_does_not_fit_is_counted() -> None:
    long = shown_arguments(json.dumps({"text": "x" * 5_000, "to": "ann"}))
    assert "more characters)" in long
    assert long.splitlines()[-1] == 'to: "ann"'
    many = shown_arguments(json.dumps({f"n{number}": "y" * 200 for number in range(100)}))
    assert len(many) < 2_500
    assert "more that don't fit here" in many
    huge = shown_arguments(json.dumps({"text": "z" * 3_000_000}))
    assert len(huge) < 1_000
    assert "more characters)" in huge


@pytest.mark.parametrize("arguments", ["", "[]", "not json", "[" * 100_000, '{"a": {"b": {"c": {"d": {"e": 1}}}}}'])
def test_arguments_of_any_shape_are_shown(arguments: str) -> None:
    assert len(shown_arguments(arguments)) < 1_000
    assert "\n" not in tool_name("a\nb\u202e")
