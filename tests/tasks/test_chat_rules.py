"""The operator's file of single chats: what it may say, how a mistake is named, and that a bad file changes nothing."""

import logging
import os
from pathlib import Path

import pytest

from tasks.operator_files.agent_files import BadFile
from tasks.operator_files.chat_rules import ChatRule, ChatRules, ChatRulesFile, read
from tasks.session import SessionKey

GOOD = """
chats:
  -1001234:            # a forum
    agent: support
    mention: always
    topics:
      7: {agent: poet, mention: never}
      8: {model: big}
  700:                 # a person
    model: small
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "chats.yaml"


@pytest.mark.promise("chat-rules")
def test_a_start_with_a_broken_file_goes_on_with_the_rules_of_before_and_says_so(
    file: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    home = tmp_path / "home"
    file.write_text("roles:\n  commands: {compact: admin}\n")
    before = ChatRulesFile(file, home).now
    file.write_text("roles: [\n")
    with pytest.raises(BadFile):
        ChatRulesFile(file)
    rules = ChatRulesFile(file, home)
    assert rules.now == before != ChatRules()
    assert [record.message for record in caplog.records] == ["chats.refused"]
    file.write_text("roles: [  \n")
    assert not rules.look()
    assert rules.now == before
    file.write_text("roles:\n  commands: {undo: owner}\n")
    assert rules.look()
    file.write_text("roles: [\n")
    assert ChatRulesFile(file, home).now == rules.now != before


def test_a_first_start_with_a_broken_file_is_refused(file: Path, tmp_path: Path) -> None:
    file.write_text("roles: [\n")
    with pytest.raises(BadFile, match=r"chats\.yaml:2: not YAML"):
        ChatRulesFile(file, tmp_path / "home")


def test_a_pipe_in_its_place_is_told_and_not_waited_for(file: Path, tmp_path: Path) -> None:
    os.mkfifo(file)
    with pytest.raises(BadFile, match="is a pipe"):
        ChatRulesFile(file, tmp_path / "home")
    file.unlink()
    file.write_text(GOOD)
    rules = ChatRulesFile(file, tmp_path / "home")
    file.unlink()
    os.mkfifo(file)
    assert not rules.look()
    assert rules.of(SessionKey(1, 700)).model == "small"


def test_a_link_that_leads_nowhere_is_told_and_does_not_count_as_no_file(file: Path, tmp_path: Path) -> None:
    file.symlink_to(tmp_path / "elsewhere.yaml")
    with pytest.raises(BadFile, match="is a link that leads nowhere"):
        ChatRulesFile(file, tmp_path / "home")
    (tmp_path / "elsewhere.yaml").write_text("chats:\n  1_000: {agent: x}\n")
    assert ChatRulesFile(file, tmp_path / "home").now.chats.keys() == {1000}
    (tmp_path / "elsewhere.yaml").unlink()
    assert ChatRulesFile(file, tmp_path / "home").now.chats.keys() == {1000}, "as it was kept"


@pytest.mark.promise("chat-rules")
def test_a_topics_word_stands_above_its_chats_and_other_chats_have_none(file: Path) -> None:
    assert read(file).of(SessionKey(1, 700)) == ChatRule(), "a missing file has no rules"
    file.write_text(GOOD)
    rules = read(file)

    def of(chat: int, topic: int | None = None) -> tuple[str | None, ...]:
        rule = rules.of(SessionKey(1, chat, topic))
        return rule.agent, rule.model, rule.mention

    assert of(-1001234) == of(-1001234, 9) == ("support", None, "always")
    assert of(-1001234, 7) == ("poet", None, "never")
    assert of(-1001234, 8) == ("support", "big", "always")
    assert of(700) == (None, "small", None)
    assert of(701) == (None, None, None)


def test_a_rule_that_another_one_is_made_of_may_be_said_otherwise(file: Path) -> None:
    file.write_text(
        "chats:\n  -1: &one {mention: never}\n  -2: &two\n    <<: *one\n    mention: always\n  -3: {<<: *two}\n"
    )
    assert [rule.mention for rule in read(file).chats.values()] == ["never", "always", "always"]


@pytest.mark.promise("chat-rules")
@pytest.mark.parametrize(
    ("text", "line", "said"),
    [
        ("chat: {}\n", 1, "chat: there is no such key; did you mean `chats`?"),
        ("chats:\n  -1:\n    agnt: x\n", 3, "chats.-1.agnt: there is no such key; did you mean `agent`?"),
        ("chats:\n  -1:\n    topics:\n      7: {modle: x}\n", 4, "modle: there is no such key; did you mean `model`?"),
        ("chats:\n  -1: {mention: sometimes}\n", 2, "mention: must be mention, always or never"),
        ("chats:\n  7: {isolation: own}\n", 2, "chats.7.isolation: must be shared or process"),
        ("chats:\n  7: {isolation: true}\n", 2, "chats.7.isolation: must be shared or process"),
        ("chats:\n  abc: {}\n", 2, "chats.abc: is no number of a chat or a topic"),
        ("chats:\n  -1: {agent: 7}\n", 2, "chats.-1.agent: is no text"),
        ("chats:\n  -1: {model: ' '}\n", 2, "chats.-1.model: is blank"),
        ("chats: [1]\n", 1, "chats: is no mapping"),
        ("chats:\n  -1:\n    5: x\n", 3, "chats.-1.5: there is no such key"),
        ("chats:\n  ~: {}\n", 1, "chats.None: is no number of a chat or a topic"),
        ("chats:\n  yes: {agent: x}\n", 2, "`yes` is read as true or false here"),
        ("chats:\n  0: {agent: x}\n", 2, "chats.0: is no number of a chat or a topic"),
        ("chats:\n  .nan: {agent: x}\n", 1, "chats.nan: is no number of a chat or a topic"),
        (f"chats:\n  -{2**53}: {{agent: x}}\n", 2, "is no number of a chat or a topic"),
        ("chats:\n  -1: {topics: {0: {agent: x}}}\n", 2, "chats.-1.topics.0: is no number of a chat or a topic"),
        ("chats:\n  -1: {topics: {-3: {agent: x}}}\n", 2, "topics.-3: is no number of a chat or a topic"),
        ("chats:\n  -1: {topics: {on: {agent: x}}}\n", 2, "`on` is read as true or false here"),
        ("chats:\n  -1: {mention: never}\n  -1: {}\n", 3, "`-1` stands here for the second time; keep one of them"),
        ("roles:\n  tools: {}\nchats: {}\nroles: {}\n", 4, "`roles` stands here for the second time"),
        ("chats:\n  -1: x\n", 2, "chats.-1: is no mapping"),
        ("chats:\n  700: {mention: never}\n", None, "chats.700: is a private chat"),
        ("chats: {\n", 2, "not YAML"),
        ("- x\n", 1, "not a mapping"),
        ("[" * 5_000, 1, "is nested too deeply"),
        ("chats:\n  " + "{a: " * 3_000, 2, "is nested too deeply"),
        ("- " * 5_000, 1, "is nested too deeply"),
        ("".join(f"{' ' * level}a:\n" for level in range(100)), 65, "is nested too deeply"),
        ("chats:\n  010: {agent: x}\n", 2, "`010` is read as the number 8; write it in plain digits"),
        ("chats:\n  -0x10: {agent: x}\n", 2, "`-0x10` is read as the number -16"),
        ("chats:\n  12:30: {agent: x}\n", 2, "`12:30` is read as the number 750"),
        ("chats:\n  -1: {topics: {0b11: {agent: x}}}\n", 2, "`0b11` is read as the number 3"),
        ("chats:\n  Off: {agent: x}\n", 2, "`Off` is read as true or false here; put it in quotes"),
        ("chats: " + "9" * 5_000, None, "has a wrong value (a number of thousands of digits)"),
        ("chats:\n  ? 0x" + "f" * 5_000 + "\n  : {}\n", None, "has a wrong value (a number of thousands of digits)"),
        ("chats: 2026-13-45\n", None, "has a wrong value (month must be in 1..12)"),
        ("chats: !!int abc\n", None, "has a wrong value (invalid literal"),
        ("chats: !!timestamp abc\n", None, "has a wrong value; correct it"),
        ("chats: !!bool abc\n", None, "has a wrong value; correct it"),
        ("#" * 2**21, None, "has more than a million characters"),
    ],
)
def test_a_mistake_is_one_line_with_its_place(file: Path, text: str, line: int | None, said: str) -> None:
    file.write_text(text)
    with pytest.raises(BadFile) as caught:
        read(file)
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)
    assert caught.value.line == line


@pytest.mark.promise("chat-rules")
def test_a_changed_file_is_read_and_a_bad_one_is_told_once_and_leaves_the_old_rules(
    file: Path, caplog: pytest.LogCaptureFixture
) -> None:
    file.write_text("chats:\n  -1: {agent: a}\n")
    rules = ChatRulesFile(file)
    assert not rules.look()
    file.write_text("chats:\n  -1: {agent: bee}\n")
    assert rules.look()
    assert rules.of(SessionKey(1, -1)).agent == "bee"
    with caplog.at_level(logging.ERROR):
        file.write_text("chats:\n  -1: {agnt: sea}\n")
        assert [rules.look(), rules.look(), rules.of(SessionKey(1, -1)).agent] == [False, False, "bee"]
        file.unlink()
        assert [rules.look(), rules.look(), rules.of(SessionKey(1, -1)).agent] == [False, False, "bee"]
    wrong, gone = (vars(told)["problem"] for told in caplog.records)
    assert "agnt: there is no such key" in wrong
    assert "it is gone" in gone
    file.write_text("")
    assert rules.look()
    assert rules.of(SessionKey(1, -1)) == ChatRule()
