import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.envelope import DeadLetter, Envelope, Inbound, Media, Reply, Sender
from tasks.errors import EnvelopeInvalid, EnvelopeTooNew

words = st.text(max_size=40)
inbounds = st.builds(
    Inbound,
    session=st.just("1:2"),
    update_id=st.integers(0, 2**40),
    at=st.floats(0, 2e9),
    kind=st.sampled_from(["message", "stop", "new", "choose"]),
    text=words,
    quote=st.none() | words,
    sender=st.none() | st.builds(Sender, id=st.integers(1, 2**40), name=words, username=st.none(), language=st.none()),
    media=st.lists(
        st.builds(Media, kind=st.just("photo"), file_id=words, size_bytes=st.none() | st.integers(0)), max_size=3
    ).map(tuple),
    choice=st.dictionaries(words, words, max_size=2),
)


@given(inbounds)
def test_an_envelope_reads_back_what_it_writes(inbound: Inbound) -> None:
    assert Inbound.from_json(inbound.to_json()) == inbound
    letter = DeadLetter(reason="r", at=1.0, inbound=inbound)
    assert DeadLetter.from_json(letter.to_json()) == letter


@pytest.mark.promise("version-skew")
def test_what_a_newer_release_wrote_is_refused_and_what_it_added_is_ignored() -> None:
    reply = json.loads(Reply(text="hi").to_json())
    assert Reply.from_json(json.dumps({**reply, "sparkle": True})) == Reply(text="hi")
    newer = Reply.VERSION + 1
    with pytest.raises(EnvelopeTooNew, match=f"version {newer}"):
        Reply.from_json(json.dumps({**reply, "v": newer, "text": {"unlike": "ours"}}))


@pytest.mark.parametrize("data", ["", "null", "[]", "{}", '{"v": 1}', '{"v": "x"}', "\x00", '{"v": 1, "session": 5}'])
@pytest.mark.parametrize("kind", [Inbound, DeadLetter])
def test_what_is_no_envelope_is_said_to_be_none(kind: type[Envelope], data: str) -> None:
    with pytest.raises(EnvelopeInvalid):
        kind.from_json(data)
