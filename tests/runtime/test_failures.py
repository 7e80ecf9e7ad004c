"""What a fault means: the table of docs/model-faults.md as pure decisions."""

from dataclasses import replace

import pytest
from aiohttp.http_exceptions import LineTooLong

from tasks.phrases import LANGUAGES, catalogue, phrase, speaking
from workers.interfaces import TurnFailed
from workers.runtime.faults.classify import (
    ContextTooLong,
    EmptyAnswer,
    ModelFault,
    ModelSilent,
    ProviderFault,
    RequestRejected,
    Unfinished,
    classify,
    cut_off,
    no_room,
    no_server,
    paused,
)

NO_SUCH_MODEL = (
    "model not exist",
    "invalid model: mistral-huge",
    "error code: 400 - {'object': 'error', 'message': 'invalid model: x', 'code': '1500'}",
    "x/y is not a valid model id",
    "the model `mixtral` has been decommissioned and is no longer supported.",
    "the model `gpt-9` does not exist or you do not have access to it",
    "model 'llama9' not found, try pulling it first",
    "the requested model 'x/y' does not exist",
    "models/gemini-0 is not found for api version v1beta",
    "unknown model: x",
    "unknown model, please check the model code.",
    "the 'gpt-x' model is not supported when using codex with a chatgpt account.",
    "the provided model identifier is invalid.",
    "no endpoints found for x/y.",
    "not found the model kimi-x or permission denied",
    "deploymentnotfound: the api deployment for this resource does not exist",
    "{'code': 'model_not_found'}",
)
"""Casefolded, from the documentation and the bug reports of as many providers."""
NOT_FOR_THIS_MODEL = (
    "unsupported parameter: 'temperature' is not supported with this model.",
    "this model does not support assistant message prefill",
    "image input is not supported by this model",
)
OPENAI = ("APIStatusError", "APIError", "OpenAIError")


@pytest.mark.promise("model-faults")
@pytest.mark.parametrize(
    ("fault", "action", "kind"),
    [
        (ModelFault(("AuthenticationError",), 401), "operator", None),
        (ModelFault(("ProviderKeyError",)), "operator", None),
        (ModelFault(("PermissionDeniedError",), 403), "operator", None),
        (ModelFault(("NotFoundError",), 404), "operator", None),
        (ModelFault(("RateLimitError",), 429), "retry", ProviderFault),
        (
            ModelFault(("RateLimitError",), 429, "you exceeded your current quota (insufficient_quota)"),
            "operator",
            None,
        ),
        (
            ModelFault(
                ("ClientError",), 429, "you exceeded your current quota, check your billing. please retry in 36.9s."
            ),
            "retry",
            ProviderFault,
        ),
        (ModelFault(("InternalServerError",), 500), "retry", ProviderFault),
        (ModelFault(("InternalServerError",), 503), "retry", ProviderFault),
        (ModelFault(("OverloadedError",), 529), "retry", ProviderFault),
        (ModelFault(OPENAI, 413), "tell", ContextTooLong),
        (ModelFault.of(LineTooLong("a picture", 8 * 2**20)), "tell", None),
        (ModelFault(("RequestTooLargeError",)), "tell", ContextTooLong),
        (ModelFault(("BadRequestError",), 400, "context_length_exceeded"), "tell", ContextTooLong),
        (ModelFault(("BadRequestError",), 400, "prompt is too long: 300000 tokens"), "tell", ContextTooLong),
        (ModelFault(("BadRequestError",), 400, "bad tool schema"), "tell", RequestRejected),
        (ModelFault(("BadRequestError",), 400, "content_filter"), "tell", None),
        (ModelFault(("ContentFilterFinishReasonError",)), "tell", None),
        (ModelFault(("APITimeoutError",)), "retry", ProviderFault),
        (ModelFault(("APIConnectionError",)), "retry", ProviderFault),
        (ModelFault(("RemoteProtocolError",)), "retry", ProviderFault),
        (ModelFault(("StreamIdleTimeoutError", "TimeoutError")), "retry", ModelSilent),
        (ModelFault(("JSONDecodeError", "ValueError")), "retry", TurnFailed),
        (ModelFault(("UnfinishedStreamError",)), "retry", Unfinished),
        (ModelFault(("EmptyCompletionError",)), "tell", EmptyAnswer),
        (ModelFault(("EmptyStreamError", "RuntimeError")), "tell", EmptyAnswer),
        (ModelFault(("RuntimeError",), None, "didn't receive a `response.completed` event"), "retry", TurnFailed),
        (ModelFault(("KeyError",)), "retry", TurnFailed),
        *((ModelFault(("BadRequestError",), 400, words), "operator", TurnFailed) for words in NO_SUCH_MODEL),
        *((ModelFault(("BadRequestError",), 400, words), "tell", RequestRejected) for words in NOT_FOR_THIS_MODEL),
    ],
)
def test_each_fault_has_its_action(fault: ModelFault, action: str, kind: type | None) -> None:
    failure = classify(fault, "generic.mock")
    assert failure.action == action
    if kind is not None:
        assert type(failure) is kind
    assert (failure.backoff > 0) == (action == "retry")
    assert failure.words[0].isupper()
    assert failure.words.endswith(".") == (action != "retry"), "until the next try it is a step"


KEYS = (
    ModelFault(("AuthenticationError",), 401),
    ModelFault(("ProviderKeyError",)),
    ModelFault(("BadRequestError",), 400, "api key not valid. please pass a valid api key."),
    ModelFault(("APIStatusError",), 401, "unauthorized"),
)
EMPTY_ACCOUNTS = (
    ModelFault(OPENAI, 402),
    ModelFault(("RateLimitError",), 429, "insufficient_quota"),
    ModelFault(("BadRequestError",), 400, "your credit balance is too low to access the anthropic api"),
    ModelFault(("AuthenticationError",), 401, "payment required"),
)
OTHER_SETTINGS = (ModelFault(("PermissionDeniedError",), 403), ModelFault(("NotFoundError",), 404))


@pytest.mark.promise("model-faults")
@pytest.mark.parametrize("language", LANGUAGES)
def test_a_refused_key_an_empty_account_and_other_settings_differ_for_people_and_operators(language: str) -> None:
    # An alert of one cause is raised once an hour: of one cause, the second of these would not be told.
    with speaking(language):
        kinds = [
            {
                (failure.words, failure.cause, failure.detail.partition(", ")[0].split()[0])
                for failure in map(classify, faults)
            }
            for faults in (KEYS, EMPTY_ACCOUNTS, OTHER_SETTINGS)
        ]
    assert [{words for words, _, _ in kind} for kind in kinds] == [
        {str(catalogue(language)[ident])} for ident in ("fault-key", "fault-quota", "fault-broken")
    ]
    assert [{cause for _, cause, _ in kind} for kind in kinds] == [{"model access"}, {"model account"}, {"model"}]
    assert [{begins for _, _, begins in kind} for kind in kinds[:2]] == [{"key"}, {"quota"}]


@pytest.mark.promise("no-secrets")
def test_an_operator_reads_what_broke_and_neither_key_nor_message() -> None:
    error = ValueError("Incorrect API key provided: sk-12345 for 'my secret question'")
    failure = classify(ModelFault.of(error), "openai.gpt")
    assert failure.detail == "key refused, openai.gpt: ValueError"
    assert "sk-" not in str(failure) + failure.words


@pytest.mark.promise("model-faults")
@pytest.mark.parametrize(
    "words",
    ["I need help with billing", "Why is my API key not valid?", "model not found", "exceeded your current quota?"],
)
def test_a_rejected_request_that_quotes_the_user_alerts_no_operator(words: str) -> None:
    fault = ModelFault(("BadRequestError",), 400, f"invalid input: '{words}'".casefold())
    assert type(classify(fault, "generic.mock", [words])) is RequestRejected
    own = replace(fault, text=f"{fault.text}. your credit balance is too low")
    assert classify(own, "generic.mock", [words]).action == "operator"


def test_a_rate_limit_waits_longer_than_an_overload_and_that_longer_than_a_hiccup() -> None:
    waits = [classify(ModelFault(("x",), status)).backoff for status in (429, 529, 500)]
    assert waits == sorted(waits, reverse=True)
    assert len(set(waits)) == 3


def test_people_read_that_the_model_is_busy_where_its_provider_is() -> None:
    busy = [classify(ModelFault(("x",), status)) for status in (408, 429, 500, 502, 503, 504, 529)]
    busy += [classify(ModelFault(("ConnectError",))), paused("m", 5)]
    assert {fault.words for fault in busy} == {phrase("fault-busy")}
    ours = [classify(ModelFault(("x",))), cut_off("m"), no_room(5), no_server("files")]
    assert {fault.words for fault in ours} == {phrase("another-try")}


def test_googles_errors_carry_their_status_in_code() -> None:
    class ClientError(Exception):
        code = 429

    assert ModelFault.of(ClientError("quota")).status == 429


def test_a_refusal_that_fast_agent_calls_a_wrong_key_is_judged_by_its_cause() -> None:
    class ClientError(Exception):
        code = 503

    class ProviderKeyError(Exception):
        pass

    error = ProviderKeyError("Google API Error: 503")
    error.__cause__ = ClientError("overloaded")
    assert classify(ModelFault.of(error)).action == "retry"
    error.__cause__.code = 400
    assert classify(ModelFault.of(error)).action == "tell"
    error.__cause__ = ClientError("API key not valid. Please pass a valid API key.")
    assert classify(ModelFault.of(error)).action == "operator"


@pytest.mark.parametrize(
    "words",
    [
        "registry.ollama.ai/library/gemma:2b does not support tools",
        "deepseek-reasoner does not support Function Calling",
        "Function calling is not enabled for models/gemma-3-27b-it",
        "Function calling is not enabled for this model",
        "API key expired. Please renew the API key.",
        "User location is not supported for the API use.",
        "Your organization must be verified to stream this model.",
        "Access denied, please make sure your account is in good standing.",
        "Your account has been deactivated, please check your email for more information.",
        "This organization has been disabled.",
        "Invalid 'tools': array too long. Expected an array with maximum length 128.",
        "tools.0.custom.name: String should match pattern '^[a-zA-Z0-9_-]{1,128}$'",
        "tools: Tool names must be unique.",
        "Invalid schema for function 'pay': None is not of type 'object'.",
        "Invalid 'tools[3].function.name': string does not match pattern.",
        "Permission denied: Consumer 'projects/1' has been suspended.",
        "{'message': 'no', 'code': 'account_deactivated'}",
    ],
)
def test_what_no_other_words_of_a_user_can_mend_is_for_the_operator(words: str) -> None:
    assert classify(ModelFault(("BadRequestError",), 400, words.casefold())).action == "operator"


@pytest.mark.parametrize("place", ["{words}{much}", "{much}{words}"])
def test_of_a_message_without_end_its_beginning_and_its_end_are_read_and_no_more(place: str) -> None:
    class Refused(Exception):  # noqa: N818 - an error of a provider's client
        status_code = 400

    text = place.format(words="Model not exist", much="no " * 1_000_000)
    fault = ModelFault.of(Refused(text))
    assert classify(fault).detail.startswith("no such model")
    assert len(fault.text) < len(text) / 10


def test_an_event_too_large_to_take_is_no_refusal_of_the_message() -> None:
    failure = classify(ModelFault.of(LineTooLong("a picture", 8 * 2**20)))
    assert failure.words == phrase("fault-answer-too-large")
    assert type(failure) is TurnFailed, "and so not tried again with less of the conversation"
