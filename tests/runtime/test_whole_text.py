"""What a model writes arrives whole, however its provider cuts it into pieces, and as text that everything takes."""

import json
import random
import sys
from collections.abc import Iterable

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tasks.text import clean, cleaned
from tests.runtime.support import Configure, Open, Screen, ask
from tests.support.provider import MODELS, Provider
from workers.runtime.conversation import history
from workers.runtime.streams import reading
from workers.runtime.streams.meter import Meter, allowance

SMILEY = "\N{GRINNING FACE}"
HIGH, LOW = "\ud83d", "\ude00"
INSTEAD = "\N{REPLACEMENT CHARACTER}"

CUT: dict[str, tuple[list[str], str]] = {
    "a digit twice": (["1", "1", " apples"], "11 apples"),
    "one syllable": (["ha"] * 4, "hahahaha"),
    "a rule": (["=", "==", "===="], "======="),
    "all so far and more": (["ab", "abc", "ababcd"], "abab" + "cababcd"),
    "a word that comes again": (["no", " no", "no no"], "no nono no"),
    "half a surrogate pair": (["a", HIGH, "b"], f"a{INSTEAD}b"),
    "the other half": (["a", LOW, "b"], f"a{INSTEAD}b"),
    "a pair over two pieces": (["a", HIGH, LOW, "b"], f"a{SMILEY}b"),
    "a pair within words over two pieces": (["so " + HIGH, LOW + " so"], f"so {SMILEY} so"),
    "halves the wrong way round": (["a", LOW, HIGH, "b"], f"a{INSTEAD}{INSTEAD}b"),
    "two high halves and a low": ([HIGH, HIGH, LOW], INSTEAD + SMILEY),
    "half a pair at the end": (["a", HIGH], f"a{INSTEAD}"),
    "a NUL": (["a\0b"], f"a{INSTEAD}b"),
    "a backslash before it": (["a\\", "\\ud83d", HIGH + "b"], f"a\\\\ud83d{INSTEAD}b"),
}


async def answered(runtime: Open, configure: Configure, provider: str, pieces: Iterable[str]) -> tuple[str, str, str]:
    """What one answer came to: its text, the last of what was shown, and what is remembered."""
    async with Provider([("text", piece) for piece in pieces]) as served:
        configure(served.configuration())
        async with runtime(COHORT_MODEL=MODELS[provider]) as engine:
            screen = Screen()
            result = await engine.run(ask(1, "hello"), screen)
    return result.text, screen.frames[-1], history.decode(result.history).messages[-1].all_text()


@pytest.mark.promise("whole-text")
@pytest.mark.parametrize("name", CUT)
@pytest.mark.parametrize("provider", MODELS)
async def test_an_answer_is_all_its_pieces(runtime: Open, configure: Configure, provider: str, name: str) -> None:
    pieces, whole = CUT[name]
    assert await answered(runtime, configure, provider, pieces) == (whole, whole, whole)


async def test_a_hundred_ways_to_cut_a_text_give_the_same_text(runtime: Open, configure: Configure) -> None:
    chance = random.Random(7)
    text = "aaaa" + "ab" * 20 + SMILEY * 9 + "====" + "11 22 11"
    units = [*text.encode("utf-16-le", "surrogatepass")]
    letters = [bytes(units[at : at + 2]).decode("utf-16-le", "surrogatepass") for at in range(0, len(units), 2)]
    async with Provider([]) as served:
        configure(served.configuration())
        async with runtime(COHORT_MODEL=MODELS["generic"]) as engine:
            for chat in range(100):
                ends = sorted(chance.sample(range(1, len(letters)), chance.randint(0, len(letters) - 1)))
                pairs = zip([0, *ends], [*ends, len(letters)], strict=True)
                served.said = [[("text", "".join(letters[start:end])) for start, end in pairs]]
                assert (await engine.run(ask(chat, "hello"), Screen())).text == text


PIECES = st.lists(
    st.lists(st.sampled_from(["a", "\\", '"', "u", "d83d", HIGH, LOW, SMILEY, "\0"]), max_size=6).map("".join),
    max_size=8,
)


@given(PIECES)
@example([HIGH, "", LOW])
def test_pieces_are_joined_into_what_they_would_be_as_one(pieces: list[str]) -> None:
    stream = reading.Stream()
    said = ""
    for piece in pieces:
        for _, raw in stream.ready(None, json.dumps({"text": piece})):
            said += stream.read(raw)[0]["text"]
    said += "".join(stream.read(raw)[0]["text"] for _, raw in stream.last())
    assert said == clean("".join(pieces))


@pytest.mark.parametrize("raw", [' {"text": "a"}', '{"text": "a"}\r', '\n{"text": "a\tb"}\n'])
def test_blanks_around_an_event_are_nothing(raw: str) -> None:
    assert reading.Stream().read(raw) == (json.loads(raw, strict=False),)


@pytest.mark.parametrize("raw", ["", "  ", "[DONE]", " no", '{"text": "a"} {"text": "b"}', '{"text": ', "[" * 100_000])
def test_what_is_no_event_is_the_client_s_to_word(raw: str) -> None:
    with pytest.raises(ValueError):
        reading.Stream().read(raw)


def test_a_word_costs_few_calls() -> None:
    stream, calls = reading.Stream(Meter(allowance())), list[str]()
    raw = json.dumps({"choices": [{"index": 0, "delta": {"content": "word "}, "finish_reason": None}]})
    sys.setprofile(lambda frame, event, _: calls.append(frame.f_code.co_qualname) if event == "call" else None)
    try:
        for _, one in stream.ready(None, raw):
            stream.read(one)
    finally:
        sys.setprofile(None)
    assert len(calls) <= 8, calls


@given(st.recursive(st.text(st.characters(exclude_categories=[])) | st.integers(), st.lists, max_leaves=5))
def test_a_clean_value_is_stored_and_read_as_it_is(value: object) -> None:
    made = cleaned(value)
    assert json.loads(json.dumps(made, ensure_ascii=False).encode()) == made
    assert "\\u0000" not in json.dumps(made)
    assert cleaned(made) is made


@pytest.mark.parametrize("provider", MODELS)
async def test_bytes_that_are_no_utf_8_do_not_end_a_turn(runtime: Open, configure: Configure, provider: str) -> None:
    class Raw(Provider):
        async def handle(self, request: object) -> None:
            self.said = [[("text", "caf\udce9 au lait")]]
            await super().handle(request)

    async with Raw([]) as served:
        configure(served.configuration())
        async with runtime(COHORT_MODEL=MODELS[provider]) as engine:
            result = await engine.run(ask(1, "hello"), Screen())
    assert result.text == f"caf{INSTEAD} au lait"
