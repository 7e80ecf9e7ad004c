"""Which model answers, and why (pure): the one the operator named, else one that a key opens, else the demo model."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from tasks.errors import Misconfigured

# A fast and cheap model of each provider, by fast-agent's alias: a key alone should not run up a bill.
BY_KEY = {
    "ANTHROPIC_API_KEY": "haiku",
    "OPENAI_API_KEY": "gpt-5.4-mini",
    "GOOGLE_API_KEY": "gemini",
    "DEEPSEEK_API_KEY": "deepseek",
    "XAI_API_KEY": "grok",
    "MOONSHOT_API_KEY": "kimik3",
}
# Gateways to many models: a key does not tell which one to use.
_UNNAMED = ("OPENROUTER_API_KEY", "GROQ_API_KEY", "AZURE_API_KEY", "TENSORZERO_API_KEY")
_PLACEHOLDER = "<your-api-key-here>"

DEMO = "generic.SmolLM2-135M-Instruct"
ECHO = "passthrough"
SCRIPT = "demo.script"
"""As COHORT_MODEL: no model at all, but a script that plays one card."""


@dataclass(frozen=True, slots=True)
class ChosenModel:
    """The model that answers."""

    title: str
    """For people."""
    why: str
    """The reason, in one line."""
    env: Mapping[str, str] = field(default_factory=dict[str, str])
    """Variables that make the workers use it."""
    demo: bool = False
    """``cohort up`` starts the demo model for it."""
    script: bool = False
    """It is no model, but a script that ``cohort up`` starts."""
    hint: str = ""
    """How to get a better model; empty when there is nothing to advise."""


@dataclass(frozen=True, slots=True)
class Given:
    """The facts that the choice depends on."""

    model: str | None
    """COHORT_MODEL."""
    environ: Mapping[str, str]
    config: Mapping[str, Any]
    """fast-agent's configuration with its secrets merged in."""
    cards: Sequence[str | None]
    """The model of each card, None where a card names none."""


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


# Prefixes of model names by the provider's key, for the providers whose keys we know.
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
    """The key that this model needs; None when its name does not tell."""
    return next((key for key, marks in _MARKS.items() if name.lower().startswith(marks)), None)


def choose(given: Given) -> ChosenModel:
    """Choose the model.

    Raises:
        Misconfigured: a provider is set up, but no model is named and none can be derived.
    """
    if given.model == SCRIPT:
        return ChosenModel(
            "a script, not a model: it plays the agent concierge",
            "COHORT_MODEL names it",
            {"COHORT_MODEL": f"generic.{SCRIPT}"},
            script=True,
            hint="/agent concierge in the chat, then ask for a table",
        )
    if given.model:
        return ChosenModel(given.model, "COHORT_MODEL names it")
    default = given.config.get("default_model")
    if default:
        return ChosenModel(str(default), "default_model of the configuration file")
    if given.environ.get("FAST_AGENT_MODEL"):
        return ChosenModel(given.environ["FAST_AGENT_MODEL"], "FAST_AGENT_MODEL names it")
    named = sorted({model for model in given.cards if model})
    if named and all(given.cards):
        return ChosenModel(", ".join(named), "the agent cards name it")
    found = keys_in(given.environ, given.config)
    for key in found:
        if key in BY_KEY:
            # FAST_AGENT_MODEL has the lowest rank in fast-agent: a card that names a model keeps it.
            model = BY_KEY[key]
            return ChosenModel(
                model, f"{key} is set", {"FAST_AGENT_MODEL": model}, hint="COHORT_MODEL=...  for another one"
            )
    if found:
        provider = found[0].removesuffix("_API_KEY").lower()
        raise Misconfigured(f"{found[0]} is set, but no model is named: set COHORT_MODEL={provider}.<model>")
    if isinstance(given.config.get("generic"), Mapping):
        raise Misconfigured(
            "the configuration has a generic: section, but no model is named: set COHORT_MODEL=generic.<model>"
        )
    name = "FAST_AGENT_MODEL" if named else "COHORT_MODEL"
    return ChosenModel(
        "SmolLM2-135M, a toy on this machine",
        "no key and no model is set",
        {name: DEMO},
        demo=True,
        hint="ANTHROPIC_API_KEY=...  or OPENAI_, GOOGLE_, ...; or COHORT_MODEL=...",
    )


def echo(choice: ChosenModel, problem: str) -> ChosenModel:
    """The choice when the demo model cannot run: every message is echoed, and the title says so."""
    env = dict.fromkeys(choice.env, ECHO)
    return ChosenModel(
        "none: every message is echoed", f"{choice.why}, and the demo model {problem}", env, hint=choice.hint
    )
