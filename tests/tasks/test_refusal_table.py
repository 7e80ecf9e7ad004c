"""How often each refusal of the catalogue may be said: a text is in a table here, or named as no refusal."""

import ast
import re
from pathlib import Path

import pytest

from tasks.phrases import ENGLISH, catalogue

TESTS = Path(__file__).parents[1]

PER_MESSAGE = {
    # The message gets no answer, or a file of it is not used: its person has to know of each.
    *("poison", "damaged", "unreadable", "history-too-new", "login-paste", "fault-*"),
    *("file-too-large", "file-not-handed-out", "file-gone", "file-no-room", "file-locked", "file-password"),
    *("file-protected", "file-damaged", "file-without-words", "pdf-without-words", "too-many-files"),
    *("not-heard", "no-words-heard", "recording-damaged", "recording-too-big", "recording-too-long"),
    *("files-left-out", "files-unkept", "file-unsent", "files-unsent", "unsent", "cut", "broke-off", "empty-answer"),
    # Each inline message is one message in a chat of other people.
    *("inline-not-yours", "inline-expired", "inline-cut", "inline-slow", "inline-files"),
}
PER_COMMAND = {
    # The answer to a command, at most twenty a minute of a conversation.
    *("code-useless", "code-in-group", "admins-only", "owner-only", "guests", "only-owner", "only-admins"),
    *("only-members", "by-settings", "people-unknown", "did-you-mean", "nothing-to-stop", "nothing-to-undo"),
    *("nothing-to-retry", "nothing-to-compact", "not-the-last", "no-such-model", "no-such-agent", "no-such-value"),
    *("model-fixed", "voice-not-here", "timezone-unknown", "timezone-near", "reminder-gone", "forgotten-none"),
    *("conversation-not-kept", "already-there", "resume-busy", "resume-asked", "resume-too-new", "resume-broken"),
    *("login-private", "login-nowhere", "login-none-waits", "login-not-linked", "login-not-linked-at", "login-away"),
    *("stopped-skipped", "skipped", "skipped-last", "group-admins-only", "group-admins-unknown"),
}
PER_PRESS = {
    # A line over the chat that goes by itself, or a page, for the one who pressed or opened it.
    *("private-bot", "asker-only", "picker-only", "too-old", "question-ended", "question-answered"),
    *("question-not-yours", "decided-before", "decided-before-denied"),
    *("login-unknown", "login-late", "login-used", "login-over", "login-not-yours", "login-not-done"),
    *("login-not-told", "login-again"),
}
PER_ANSWER = {
    # What was given to one field of a form; and what became of one question.
    *("form-yes-or-no", "form-one-of", "form-so-many-of", "form-number", "form-number-in", "form-whole"),
    *("form-whole-in", "form-characters", "form-email", "form-uri", "form-date", "form-date-time", "form-numbers"),
    *("not-answered-else", "not-allowed-else", "not-answered", "no-answer-came", "denied", "answer-denied"),
    "withdrawn",
}
ONCE: dict[str, tuple[str, str, str]] = {
    "stranger": (
        "an hour and person",
        "bot/test_strangers_again.py",
        "test_a_stranger_and_admins_hear_once_an_hour_also_across_a_restart",
    ),
    "stranger-group": (
        "an hour and group",
        "bot/test_strangers_again.py",
        "test_a_group_of_strangers_hears_once_across_a_restart",
    ),
    "rate": ("a minute", "bot/test_people.py", "test_a_person_who_writes_too_much_is_told_once_and_can_still_stop"),
    "inbox-full": (
        "a minute and chat",
        "bot/test_own_answers.py",
        "test_a_session_with_a_full_inbox_hears_so_at_most_once_a_minute",
    ),
    "own-none": (
        "of the messages that wait",
        "workers/test_own.py",
        "test_a_shared_worker_runs_no_turn_of_it_and_says_once_that_there_is_no_host",
    ),
    "own-full": (
        "of the messages that wait",
        "workers/test_own.py",
        "test_when_all_places_are_taken_it_is_told_after_a_while_and_once",
    ),
    "over-budget-you": (
        "an hour, chat and person",
        "workers/test_refused_once.py",
        "test_a_used_up_day_is_told_once_an_hour",
    ),
    "over-budget-chat": ("an hour and chat", "workers/test_refused_once.py", "test_a_used_up_day_is_told_once_an_hour"),
    "over-budget-held": (
        "of the messages that wait",
        "workers/test_refused_once.py",
        "test_what_is_held_is_told_once_of_the_messages_that_wait",
    ),
    "outage": (
        "of the messages that wait",
        "workers/test_failed_turns.py",
        "test_messages_that_waited_and_fail_for_one_reason_have_one_apology_whose_retry_answers_all",
    ),
    "defect": (
        "a minute and chat",
        "bot/test_update_intake.py",
        "test_a_command_whose_answer_fails_does_not_silence_the_others",
    ),
    "voice-refused": (
        "until /voice is chosen again",
        "workers/test_spoken_replies.py",
        "test_where_telegram_takes_no_voice_messages_it_is_said_once_and_answers_are_written",
    ),
    "history-broken": (
        "of a conversation",
        "runtime/test_broken_history.py",
        "test_a_chat_whose_history_cannot_be_read_is_told_and_begins_a_new_one_and_the_bytes_are_kept",
    ),
    **dict.fromkeys(
        ("agent-gone", "model-gone", "model-not-applied"),
        (
            "of a choice",
            "workers/test_control_words.py",
            "test_what_can_no_longer_be_chosen_is_said_once_and_no_longer_asked_for",
        ),
    ),
    **dict.fromkeys(
        ("cannot-*", "send-as", "send-as-either", "usual-model", "other-agent"),
        (
            "in a row, person and hour",
            "workers/test_standing_refusals.py",
            "test_pictures_in_a_row_are_refused_once_also_by_the_heir_of_their_worker",
        ),
    ),
}
"""How often, and the test that has it refused twice and said once, by a bot or a worker."""

NO_REFUSAL = {
    *("menu-*", "button-*", "label-*", "choice-*", "role-*", "reads-*", "day-*", "every-*", "when-*", "range-*"),
    *("usage*", "between-*", "stand-in-*", "tool*", "lasted-*", "paired*", "conversation-kept", "conversation-now"),
    *("thousands", "start", "description", "short-description", "greeting", "help", "help-group", "context-*"),
    *("allow-how", "deny-how", "joined", "request", "group-request", "decided", "decided-denied", "people-all"),
    *("people", "people-how", "whoami*", "ready", "waiting*", "working", "not-working", "uses-*", "the-default"),
    *("asked", "seconds", "minutes", "hours", "reminders-none", "reminder", "reminder-again", "date", "timezone"),
    *("timezone-none", "timezone-dropped", "reminders-cancel", "cancel-all-sure", "reminders-cancelled", "and-more"),
    *("memory-none", "memory", "memory-how", "forget-all-sure", "forgotten", "model-reads", "choose-*", "switched*"),
    *("from-next", "later", "now-uses", "voice-goes-on", "speaks", "speaks-auto", "conversations*"),
    *("conversation-untitled", "conversation-resumed", "conversation-titled", "title-how", "login-waits"),
    *("login-close", "login-thanks", "login-goes-on", "login-confirm", "login-who", "login-who-unnamed"),
    *("login-warning", "login-link", "login-linked-at", "login-ended", "login-ended-untold", "login-more"),
    *("login-asks", "login-asks-group", "may-i", "may-have-happened", "answer-taken", "allowed-once"),
    *("allowed-always", "answered-by", "logged-in", "answered-with", "answered", "form-asks", "form-server"),
    *("form-page", "form-optional", "stopped", "new-conversation", "new-set-aside", "interrupted", "undone"),
    *("reminders-still-set", "chain-ended", "compacted", "compacted-part", "reference", "press-retry"),
    *("told-operator", "whole-answer", "answer-file", "see-file", "no-visible-text", "inline-title", "inline-waits"),
    *("inline-button", "inline-offered", "inline-show", "thinking", "listening", "another-try", "more-steps"),
    *("part-of", "characters-more", "values-more"),
}
"""A ``*`` stands for any end, where all of a family are alike."""


def means(pattern: str, ident: str) -> bool:
    return re.fullmatch(re.escape(pattern).replace(r"\*", ".*"), ident) is not None


@pytest.mark.promise("refused-once")
def test_each_text_says_how_often_it_may_refuse_or_is_no_refusal() -> None:
    tables = (PER_MESSAGE, PER_COMMAND, PER_PRESS, PER_ANSWER, set(ONCE), NO_REFUSAL)
    found = {ident: [p for table in tables for p in table if means(p, ident)] for ident in catalogue(ENGLISH)}
    wrong = {ident: patterns for ident, patterns in found.items() if len(patterns) != 1}
    assert wrong == {}, "put a new text into one of the tables; one that says no for a lasting reason is said once"
    assert [p for table in tables for p in table if not any(means(p, ident) for ident in found)] == []


@pytest.mark.promise("refused-once")
@pytest.mark.parametrize(("path", "name"), sorted({(path, name) for _, path, name in ONCE.values()}))
def test_what_is_said_once_has_a_test_that_refuses_twice(path: str, name: str) -> None:
    tree = ast.parse((TESTS / path).read_text())
    assert name in {node.name for node in tree.body if isinstance(node, ast.AsyncFunctionDef)}
