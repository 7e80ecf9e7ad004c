"""The language of what a session's people are told, and the mark of it on replies that are delivered later."""

from collections.abc import Mapping
from dataclasses import replace

from tasks.chats.choices import LANGUAGE
from tasks.phrases import ENGLISH, language_of, spoken
from tasks.store.sessions import Commit
from workers.sessions.planning.parked import Rules


def language_for(tongue: str | None, rules: Rules, choice: Mapping[str, str]) -> str:
    """What a person is told in, whose language is ``tongue`` and who perhaps chooses another one now."""
    return language_of(choice.get(LANGUAGE, rules.language), tongue, rules.usual)


def marked(commit: Commit) -> Commit:
    """A commit whose replies say what their words are in. English has no mark, so it costs no byte."""
    language = spoken()
    if language == ENGLISH or not commit.replies:
        return commit
    return replace(commit, replies=tuple(one.model_copy(update={"language": language}) for one in commit.replies))
