"""That a request is too long, in every provider's words: each is understood, and nothing else is taken for it."""

from pathlib import Path

import pytest

from workers.runtime.faults.classify import ContextTooLong, ProviderFault, classify
from workers.runtime.faults.context_overflow import too_long
from workers.runtime.faults.model_fault import ModelFault


def rows(name: str) -> list[list[str]]:
    lines = (Path(__file__).parent / name).read_text(encoding="utf-8").splitlines()
    return [[*line.split("\t"), ""] for line in lines if not line.startswith("#")]


def fault(status: str, words: str) -> ModelFault:
    return ModelFault(("APIStatusError",), int(status) if status.isdecimal() else None, words.casefold())


@pytest.mark.promise("model-faults")
@pytest.mark.parametrize("row", rows("too_long.tsv"), ids=lambda row: row[1])
def test_a_request_that_is_too_long_is_understood_in_each_providers_words(row: list[str]) -> None:
    status, _, words, *_ = row
    assert isinstance(classify(fault(status, words)), ContextTooLong)


@pytest.mark.parametrize("row", rows("not_too_long.tsv"), ids=lambda row: row[1])
def test_no_other_refusal_is_taken_for_one(row: list[str]) -> None:
    status, _, words, action, _ = row
    failure = classify(fault(status, words))
    assert (isinstance(failure, ContextTooLong), failure.action) == (False, action)
    assert isinstance(failure, ProviderFault) == (action == "retry")


def test_a_refusal_of_any_length_is_read_at_once() -> None:
    for filler in ("exceed ", "tokens ", "prompt is ", "context_", "x" * 50 + " ", "inputs tokens + "):
        assert too_long(filler * 200_000, 400) in (True, False)
