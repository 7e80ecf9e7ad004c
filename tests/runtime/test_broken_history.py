"""A stored history that cannot be read: its chat says so and goes on."""

import zlib
from collections.abc import Callable

import pytest

from tasks import session_files
from tasks.config.settings import Settings
from tasks.phrases import phrase
from tests.runtime.support import Open, Screen, ask
from tests.support.model import Model
from workers.interfaces import TurnFailed

DAMAGE: dict[str, Callable[[bytes], bytes]] = {
    "cut": lambda whole: whole[: len(whole) // 2],
    "other bytes": lambda _: b"\x00\xff\xfe",
    "another version's": lambda _: b"\x01no deflate",
    "no JSON": lambda _: b"\x01" + zlib.compress(b"[1,"),
    "another shape": lambda _: b"\x01" + zlib.compress(b'{"messages": [{"role": "system", "content": 7}]}'),
    "deep": lambda _: b"\x01" + zlib.compress(b"[" * 100_000),
}


@pytest.mark.promise("broken-messages")
async def test_a_chat_whose_history_cannot_be_read_is_told_and_begins_a_new_one_and_the_bytes_are_kept(
    runtime: Open, model: Model, settings_of: Callable[..., Settings]
) -> None:
    async with runtime(COHORT_LANES="1") as engine:
        whole = (await engine.run(ask(1, "before"), Screen())).history
        for damage in DAMAGE.values():
            stored = damage(whole)
            first = await engine.run(ask(1, "hello", history=stored), Screen())
            assert first.text == "echo: hello [n=1]"
            assert [one for one in first.notices if "started a new one" in one]
            again = await engine.run(ask(1, "more", history=first.history), Screen())
            assert (again.text, again.notices) == ("echo: more [n=2]", ())
            kept = session_files.where(settings_of().home, ask(1, "").session) / "history.broken"
            assert kept.read_bytes() == stored
            assert await engine.histories.without_last(stored) is None
            assert await engine.histories.unreadable(stored) == phrase("resume-broken")
            assert (await engine.compact(ask(1, "compact", history=stored))).notices
        assert await engine.histories.unreadable(whole) == ""


@pytest.mark.promise("broken-messages")
async def test_a_history_of_a_newer_release_is_left_as_it_is_and_its_chat_reads_at_once_what_it_can_do(
    runtime: Open,
) -> None:
    async with runtime(COHORT_LANES="1") as engine:
        newer = b"\x02" + (await engine.run(ask(1, "before"), Screen())).history[1:]
        asked = ask(1, "hello", history=newer)
        histories = engine.histories
        works = engine.run(asked, Screen()), engine.compact(asked), histories.stopped(asked, "half")
        for work in (*works, histories.without_last(newer)):
            with pytest.raises(TurnFailed, match="version 2") as failed:
                await work
            assert failed.value.action == "operator"
            assert "/new" in failed.value.words
        assert await histories.unreadable(newer) == phrase("resume-too-new")
