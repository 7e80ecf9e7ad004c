"""Which model answers, and why (pure): what the operator named, else what a key allows, else the demo model."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from tasks.errors import Misconfigured

# Quick and cheap ones of each provider, by fast-agent's own short names: a key alone should not run up a bill.
BY_KEY = {
    "ANTHROPIC_API_KEY": "haiku",
    "OPENAI_API_KEY": "gpt-5.4-mini",
    "GOOGLE_API_KEY": "gemini",
    "DEEPSEEK_API_KEY": "deepseek",
    "XAI_API_KEY": "grok",
    "MOONSHOT_API_KEY": "kimik3",
}
# Providers of many models: a key says nothing about which.
_UNNAMED = ("OPENROUTER_API_KEY", "GROQ_API_KEY", "AZURE_API_KEY", "TENSORZERO_API_KEY")
_PLACEHOLDER = "<your-api-key-here>"

DEMO = "generic.SmolLM2-135M-Instruct"
ECHO = "passthrough"


@dataclass(frozen=True, slots=True)
class Choice:
    """What answers.

    ``env``: what makes the workers use it. ``title``: for people. ``why``: one line. ``demo``: our own small model has
    to be started for it. ``hint``: what to do for something better, or nothing.
    """

    title: str
    why: str
    env: Mapping[str, str] = field(default_factory=dict[str, str])
    demo: bool = False
    hint: str = ""


@dataclass(frozen=True, slots=True)
class Given:
    """What there is to choose from.

    ``config``: fast-agent's configuration with its secrets file merged in. ``cards``: the model of each card, None
    where it names none.
    """

    model: str | None
    environ: Mapping[str, str]
    config: Mapping[str, Any]
    cards: Sequence[str | None]


def keys_in(environ: Mapping[str, str], config: Mapping[str, Any]) -> list[str]:
    """The provider keys that are set, under their environment names."""
    found: list[str] = []
    for name in (*BY_KEY, *_UNNAMED):
        section = config.get(name.removesuffix("_API_KEY").lower())
        written = section.get("api_key") if isinstance(section, Mapping) else None
        nested = environ.get(f"{name.removesuffix('_API_KEY')}__API_KEY")
        if environ.get(name) or nested or (written and written != _PLACEHOLDER):
            found.append(name)
    return found


# How the names of models tell their provider, for the providers that we know keys of.
_MARKS = {
    "ANTHROPIC_API_KEY": ("anthropic.", "claude", "haiku", "sonnet", "opus"),
    "OPENAI_API_KEY": ("openai.", "responses.", "gpt-", "o3", "o4"),
    "GOOGLE_API_KEY": ("google.", "gemini"),
    "DEEPSEEK_API_KEY": ("deepseek",),
    "XAI_API_KEY": ("xai.", "grok"),
    "MOONSHOT_API_KEY": ("moonshot.",),
    "OPENROUTER_API_KEY": ("openrouter.",),
    "GROQ_API_KEY": ("groq.",),
}


def key_for(name: str) -> str | None:
    """The key that a model of this name needs, as far as its name tells."""
    return next((key for key, marks in _MARKS.items() if name.lower().startswith(marks)), None)


def choose(given: Given) -> Choice:
    """Decide.

    Raises:
        Misconfigured: a provider is set up but no model is named, and nothing can be guessed.
    """
    if given.model:
        return Choice(given.model, "COHORT_MODEL names it")
    default = given.config.get("default_model")
    if default:
        return Choice(str(default), "default_model of the configuration file")
    if given.environ.get("FAST_AGENT_MODEL"):
        return Choice(given.environ["FAST_AGENT_MODEL"], "FAST_AGENT_MODEL names it")
    named = sorted({model for model in given.cards if model})
    if named and all(given.cards):
        return Choice(", ".join(named), "the agent cards name it")
    found = keys_in(given.environ, given.config)
    for key in found:
        if key in BY_KEY:
            # fast-agent's lowest rank: a card that names a model keeps it.
            model = BY_KEY[key]
            return Choice(model, f"{key} is set", {"FAST_AGENT_MODEL": model}, hint="COHORT_MODEL=...  for another one")
    if found:
        provider = found[0].removesuffix("_API_KEY").lower()
        raise Misconfigured(f"{found[0]} is set, but no model is named: set COHORT_MODEL={provider}.<model>")
    if isinstance(given.config.get("generic"), Mapping):
        raise Misconfigured(
            "the configuration has a generic: section, but no model is named: set COHORT_MODEL=generic.<model>"
        )
    name = "FAST_AGENT_MODEL" if named else "COHORT_MODEL"
    return Choice(
        "SmolLM2-135M, a toy on this machine",
        "no key and no model is set",
        {name: DEMO},
        demo=True,
        hint="ANTHROPIC_API_KEY=...  or OPENAI_, GOOGLE_, ...; or COHORT_MODEL=...",
    )


def echo(choice: Choice, problem: str) -> Choice:
    """When the demo model cannot run: an echo, which says so."""
    env = dict.fromkeys(choice.env, ECHO)
    return Choice("none: every message is echoed", f"{choice.why}, and the demo model {problem}", env, hint=choice.hint)
