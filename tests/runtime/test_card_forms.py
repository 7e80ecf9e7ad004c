"""Every form of card that fast-agent takes is taken, and what is no card beside them changes nothing."""

import logging
from collections.abc import Callable
from pathlib import Path

import pytest

from ops import agent_config
from tasks.config.settings import Settings, load
from tasks.operator_files import agent_files
from tests.runtime.support import Configure, Open, Screen, ask
from tests.support.model import Model
from workers.runtime.cards.checks import check_cards

type SettingsOf = Callable[..., Settings]

DEFAULT = "You are a helpful AI Agent."
FORMS: dict[str, tuple[str, str, str, str]] = {
    "plain": ("a.md", "---\nname: x\nmodel: generic.mock\n---\nYou are X.\n", "x", "You are X."),
    "no instruction": ("a.md", "---\nname: x\nmodel: generic.mock\n---\n", "x", DEFAULT),
    "no instruction in YAML": ("a.yaml", "name: x\nmodel: generic.mock\n", "x", DEFAULT),
    "blank lines above": ("a.md", "\n \n---\nname: x\nmodel: generic.mock\n---\nYou are X.\n", "x", "You are X."),
    "a byte order mark": ("a.md", "\ufeff---\nname: x\nmodel: generic.mock\n---\nYou are X.\n", "x", "You are X."),
    "a byte order mark in YAML": (
        "a.yml",
        "\ufeffname: x\nmodel: generic.mock\ninstruction: You are X.\n",
        "x",
        "You are X.",
    ),
    "lines as on Windows": (
        "a.md",
        "---\r\nname: x\r\nmodel: generic.mock\r\n---\r\nYou are X.\r\n",
        "x",
        "You are X.",
    ),
    "longer lines": ("a.md", "---  \nname: x\nmodel: generic.mock\n-----  \nYou are X.\n", "x", "You are X."),
    "TOML": ("a.md", '+++\nname = "x"\nmodel = "generic.mock"\n+++\nYou are X.\n', "x", "You are X."),
    "an empty head": ("x y.md", "---\n---\nYou are X.\n", "x_y", "You are X."),
    "a blank head": ("x.md", "---\n\n---\nYou are X.\n", "x", "You are X."),
    "a comment as head": ("x.md", "---\n# nothing yet\n---\nYou are X.\n", "x", "You are X."),
    "its type in capitals": (
        "a.md",
        "---\ntype: Agent\nname: x\nmodel: generic.mock\n---\nYou are X.\n",
        "x",
        "You are X.",
    ),
    "another suffix": ("a.MARKDOWN", "---\nname: x\nmodel: generic.mock\n---\nYou are X.\n", "x", "You are X."),
    "rulers in its text": (
        "a.md",
        "---\nname: x\nmodel: generic.mock\n---\nYou\n\n---\n\nare X.\n",
        "x",
        "You\n\n---\n\nare X.",
    ),
    "a file without an end of line": ("a.md", "---\nname: x\nmodel: generic.mock\n---", "x", DEFAULT),
}
"""Form -> its file, what stands in it, the agent's name, how its instruction begins."""


@pytest.fixture
def alone(cards: Path, configure: Configure, model: Model) -> Path:
    """No card yet, and a default model for those that name none."""
    configure({"default_model": "generic.mock", "generic": {"base_url": f"{model.url}/v1", "api_key": "k"}})
    (cards / "assistant.md").unlink()
    return cards


@pytest.mark.promise("cards-taken")
@pytest.mark.parametrize("form", FORMS)
async def test_every_form_of_card_that_fast_agent_takes_is_taken(
    runtime: Open, settings_of: SettingsOf, model: Model, alone: Path, form: str
) -> None:
    name, text, agent, instruction = FORMS[form]
    (alone / name).write_bytes(text.encode())
    assert check_cards(settings_of()) == []
    (card,) = agent_config.cards(settings_of())
    assert card.name == agent
    async with runtime(COHORT_LANES="1") as engine:
        assert engine.agents == (agent,)
        await engine.run(ask(1, "hi"), Screen())
    assert model.journal[0].messages[0]["text"].startswith(instruction)


BESIDE = {
    "README.md": "# Our agents\n",
    "Readme.md": "---\nname: x\nmodel: generic.mock\ndefault: true\n---\nYou are X.\n",
    "README.de.md": "---\ntitle: Unsere Agenten\nlayout: page\n---\n",
    "story.md": "Once upon a time\n\n---\n\nthe end\n",
    "empty.md": "",
    "fast-agent.yaml": "default_model: haiku\n",
    "fastagent.config.yaml": "default_model: haiku\n",
    "fast-agent.secrets.yaml": "openai: {api_key: x}\n",
    "SKILL.md": "---\nname: a-skill\ndescription: x\n---\nDo.\n",
}


@pytest.mark.promise("cards-taken")
@pytest.mark.parametrize("name", BESIDE)
async def test_what_is_no_card_beside_the_cards_changes_nothing_and_is_said_once(
    runtime: Open, settings_of: SettingsOf, cards: Path, name: str, caplog: pytest.LogCaptureFixture
) -> None:
    (cards / name).write_text(BESIDE[name])
    caplog.set_level(logging.INFO, "cohort.runtime")
    assert check_cards(settings_of()) == []
    assert agent_config.card_models(settings_of()) == ["generic.mock"]
    assert [path.name for path in agent_files.documents(cards)] == [name]
    async with runtime(COHORT_LANES="1") as engine:
        assert engine.agents == ("assistant",)
    told = [record for record in caplog.records if record.message == "card.ignored"]
    assert [record.file for record in told] == [name]


@pytest.mark.promise("cards-taken")
@pytest.mark.parametrize("target", ["child", "orchestrator"])
async def test_a_child_agent_whose_history_is_kept_remembers_its_own_chat_and_no_other(
    runtime: Open, settings_of: SettingsOf, model: Model, cards: Path, target: str
) -> None:
    (cards / "writer.md").write_text("---\nname: writer\nmodel: generic.mock\ntool_only: true\n---\nYou write.\n")
    head = f"agents: [writer]\nhistory_source: {target}\nhistory_merge_target: {target}\nmodel: generic.mock\n"
    (cards / "assistant.md").write_text(f"---\nname: assistant\ndefault: true\n{head}---\nYou.\n")
    assert check_cards(settings_of()) == []
    seen: list[list[str]] = []
    async with runtime(COHORT_LANES="1") as engine:
        remembered = None
        for chat, text in ((1, "a secret poem"), (1, "a song"), (2, "else")):
            before = len(model.journal)
            history = remembered if chat == 1 else None
            answered = await engine.run(ask(chat, f'CALL:writer{{"message": "{text}"}}', history=history), Screen())
            assert text in answered.text
            remembered = answered.history
            calls = [call for call in list(model.journal)[before:] if call.messages[0]["text"] == "You write."]
            seen.append([message["text"] for message in calls[0].messages])
    assert "a secret poem" in " ".join(seen[1])
    assert "secret" not in " ".join(seen[2])


@pytest.mark.promise("cards-checked")
async def test_cards_in_fast_agents_own_folder_are_not_let_in_beside_the_operators(
    runtime: Open, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, cards: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    others = tmp_path / ".fast-agent" / "agent-cards"
    others.mkdir(parents=True)
    (others / "other.md").write_text("---\nname: other\nmodel: generic.mock\nshell: true\n---\nYou.\n")
    async with runtime(COHORT_LANES="1") as engine:
        assert engine.agents == ("assistant",)
        (cards / "more.md").write_text("---\nname: more\nmodel: generic.mock\n---\nYou.\n")
        assert await engine.reload() == ("assistant", "more")


@pytest.mark.parametrize("name", ["fast-agent.yaml", ".fast-agent/fast-agent.yaml", "fastagent.config.yaml"])
def test_the_configuration_is_found_under_each_of_fast_agents_names(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.chdir(tmp_path)
    path = Path(name)
    path.parent.mkdir(exist_ok=True)
    path.write_text("default_model: haiku\n")
    path.with_name("fast-agent.secrets.yaml").write_text("openai: {api_key: x}\n")
    settings = load({})
    assert settings.config == path
    assert agent_config.configuration(settings) == {"default_model": "haiku", "openai": {"api_key": "x"}}
