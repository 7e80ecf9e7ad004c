"""Links that act, and characters without a picture, in what a model writes."""

import pytest

from tests.telegram.markdown import formatted, shown


@pytest.mark.promise("no_tricks")
@pytest.mark.parametrize(
    ("source", "text"),
    [
        ("[Ann](tg://user?id=12345)", "Ann"),
        ("[Ann](TG://USER?id=12345)", "Ann"),
        ('<a href="tg://user?id=12345">Ann</a>', "Ann"),
        ("[Ann][a]\n\n[a]: tg://user?id=12345", "Ann"),
        ("[Ann](tg:\u200b//user?id=12345)", "Ann"),
        ("[Ann](&#116;g://user?id=12345)", "Ann"),
        ("![👍](tg://emoji?id=5368324170671202286)", "🖼 👍 (tg://emoji?id=5368324170671202286)"),
        ("[go](tg://proxy?server=a)", "go (tg://proxy?server=a)"),
        ("[x](javascript:alert(1))", "x"),
        ("[x](data:text/html;base64,AAAA)", "x"),
        ("[x](file:///etc/passwd)", "x (file:///etc/passwd)"),
    ],
)
def test_no_link_mentions_a_person_or_does_anything_but_open_a_page(source: str, text: str) -> None:
    assert shown(source) == text
    assert formatted(source, "text_link", "text_mention", "custom_emoji") == []


@pytest.mark.promise("no_tricks")
@pytest.mark.parametrize(
    ("source", "text"),
    [
        ("pay \u202etxt.exe\u202c now", "pay txt.exe now"),
        ("a\u2066b\u2069c\u202ad\u061c", "abcd"),
        ("pay 1\u200f2\u200e3 &rlm;now", "pay 123 now"),
        ("a\x85b\u2028c\x9bd\x7fe\x1b[31mf", "a\nb\ncde[31mf"),
        ("pass\u200bword ad\u2060min\ufeff", "password admin"),
        ("x\U000e0041\U000e0042y", "xy"),
        ("x\ufe0f\ufe00\U000e0150\U000e0151y", "x\ufe0fy"),
        ("&#x202E;abc&#8238;", "abc"),
        ("[la\u202ebel](https://a.b/\u202ec)", "label"),
        ("`co\u202ede`", "code"),
        ("```py\nif x:\u2066 # \u2069\n```", "if x: #"),
        ("![al\u202et](https://a.b)", "🖼 alt"),
        ("<b>a\u202eb</b>", "ab"),
    ],
)
def test_characters_that_cannot_be_seen_are_taken_out(source: str, text: str) -> None:
    assert shown(source).rstrip() == text
    assert all("\u202e" not in found for _, found in formatted(source))


@pytest.mark.promise("no_tricks")
@pytest.mark.parametrize(
    ("source", "text", "links"),
    [
        ("[https://bank.example](https://evil.example/x)", "https://bank.example (https://evil.example/x)", 0),
        ("[bank.com](https://evil.example)", "bank.com (https://evil.example)", 0),
        ("[https://bank.example@evil.example](https://evil.example)", "https://bank.example@evil.example", 1),
        ("[https://www.bank.example/login](https://bank.example/)", "https://www.bank.example/login", 1),
        ("[bank.com](https://docs.bank.com/a)", "bank.com", 1),
        ("[bank.com](https://mybank.com/a)", "bank.com (https://mybank.com/a)", 0),
        ("[README.md](https://bank.example/README.md)", "README.md", 1),
    ],
)
def test_a_label_that_is_an_address_leads_there(source: str, text: str, links: int) -> None:
    assert shown(source) == text
    assert len(formatted(source, "text_link")) == links


@pytest.mark.promise("no_tricks")
@pytest.mark.parametrize(
    "text",
    [
        "👨\u200d👩\u200d👧 👍🏽 ❤\ufe0f 🇩🇪",
        "🏴\U000e0067\U000e0062\U000e0073\U000e0063\U000e0074\U000e007f",
        "نمی\u200cخواهم",
        "क्\u200dष",
        "א\u200f!\u200e",
        "e\u0301 a\u00a0b \u00adx",
    ],
)
def test_what_emoji_and_scripts_need_stays(text: str) -> None:
    assert shown(text) == text
