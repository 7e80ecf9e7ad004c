"""``cohort sessions`` and ``cohort forget``, as an operator types them."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from ops.commands import log_files
from ops.commands.sessions import SessionFilter
from tasks import keys
from tasks.chats.feedback import Opinion
from tasks.config.settings import Settings, load
from tasks.session import SessionKey
from tasks.store import Store, connect
from tasks.store.listing import SessionFacts
from tests.harness.command import cohort
from tests.harness.valkey import Valkey
from tests.support.redis_of import redis_of
from tests.tasks.test_erasure import ANN, BOB, BOT, GROUP, HERS, HIS, TOPIC, filled


@pytest.mark.promise("sessions-seen")
async def test_sessions_are_listed_by_name_a_page_at_a_time_and_without_their_text(
    store: Store, settings: Settings, redis_url: str, tmp_path: Path
) -> None:
    await filled(store, settings)

    def told(*arguments: str) -> dict:
        done = cohort("sessions", "list", "--json", *arguments, home=tmp_path, REDIS_URL=redis_url)
        assert (done.returncode, done.stderr) == (0, "")
        assert "word" not in done.stdout
        return json.loads(done.stdout)

    names = sorted(map(str, (HERS, TOPIC, GROUP, HIS)))
    first = told("--limit", "3")
    assert [one["session"] for one in first["sessions"]] == names[:3]
    rest = told("--limit", "3", "--after", first["after"])
    assert [one["session"] for one in rest["sessions"]] == names[3:]
    assert rest["after"] is None
    assert [one["session"] for one in told("--chat", str(ANN))["sessions"]] == [str(HERS), str(TOPIC)]
    assert told("--older", "1", "--chat", str(BOB))["sessions"][0]["waiting"] == 1
    assert told("--running")["sessions"] == []


NUMBERS = ("undelivered", "epoch", "turns", "input_tokens", "output_tokens", "history_bytes", "notes", "earlier")
NOTHING = SessionFacts(
    HERS,
    waiting=0,
    owner=None,
    agent=None,
    model=None,
    touched=None,
    moved=None,
    earlier_bytes=0,
    steps=0,
    begun=0,
    **dict.fromkeys(NUMBERS, 0),
)


@pytest.mark.promise("sessions-seen")
@pytest.mark.parametrize(
    ("only", "fits", "differs"),
    [
        (SessionFilter(), {}, None),
        (SessionFilter(chat=ANN), {}, {"session": HIS}),
        (SessionFilter(agent="poet"), {"agent": "poet"}, {"agent": "cook"}),
        (SessionFilter(waiting=True), {"waiting": 1}, {"waiting": 0}),
        (SessionFilter(running=True), {"owner": "w-1"}, {"owner": None}),
        (SessionFilter(before=100.0), {"touched": 100.0}, {"touched": 100.1}),
        # An older release wrote it.
        (SessionFilter(before=100.0), {"touched": 0.0}, {"touched": None}),
    ],
)
def test_each_filter_of_the_list_shows_what_it_says_and_no_others(
    only: SessionFilter, fits: dict[str, Any], differs: dict[str, Any] | None
) -> None:
    assert only.fits(replace(NOTHING, **fits))
    assert differs is None or not only.fits(replace(NOTHING, **fits | differs))


@pytest.mark.promise("sessions-seen")
async def test_a_session_shows_its_facts_and_its_text_only_when_asked(
    store: Store, settings: Settings, redis_url: str, tmp_path: Path
) -> None:
    await filled(store, settings)
    await redis_of(store).hset(keys.state(HERS), mapping={"agent": "poet", "failed": '["later"]'})  # type: ignore[misc]
    await store.feedback.put(Opinion(HERS, 10, 5, ANN, "up"))
    await store.feedback.put(Opinion(HIS, 11, 6, BOB, "down"))

    def said(*arguments: str) -> str:
        done = cohort("sessions", *arguments, home=tmp_path, REDIS_URL=redis_url)
        assert (done.returncode, done.stderr) == (0, "")
        return done.stdout

    assert "annword" not in said("show", str(HERS))
    assert "user: annword1" in said("show", str(HERS), "--text")
    whole = json.loads(said("export", str(HERS)))
    assert whole["notes"] == {"name": "annword1"}
    assert [one["text"] for one in whole["reminders"]] == ["annword1"]
    assert [one["text"] for one in whole["inbox"]] == ["annword2"]
    assert whole["history"]["messages"][0]["role"] == "user"
    assert (whole["state"]["agent"], whole["state"]["failed"], whole["journal"]) == ("poet", ["later"], ["annword1"])
    assert [(one["thumb"], one["person"]) for one in whole["thumbs"]] == [("up", ANN)]
    done = cohort("sessions", "show", f"{BOT}:99", home=tmp_path, REDIS_URL=redis_url)
    assert (done.returncode, done.stderr) == (2, f"cohort: nothing is kept of {BOT}:99\n")


@pytest.mark.promise("forgotten")
async def test_after_a_person_is_forgotten_no_file_of_the_home_holds_their_number_or_words(tmp_path: Path) -> None:
    home, data = tmp_path / "home", tmp_path / "home" / "valkey"
    (home / "logs").mkdir(parents=True)
    (home / "sessions" / f"{BOT}_{ANN}").mkdir(parents=True)
    (home / "sessions" / f"{BOT}_{ANN}" / "memory.json").write_text("annword")
    (home / "sessions" / f"{BOT}_{BOB}").mkdir()
    (home / "logs" / "bot.log").write_text(f"turn session={HERS} x=1\nturn session={HIS}\nid={ANN}5 g={GROUP}\n")
    data.mkdir()
    valkey = Valkey(data)
    valkey.start()
    try:
        url = valkey.url
        settings = load({"REDIS_URL": url, "TELEGRAM_BOT_TOKEN": f"{BOT}:t"})
        async with connect(settings) as store:
            await filled(store, settings)
            await store.feedback.put(Opinion(GROUP, 10, 5, ANN, "up"))
            await redis_of(store).config_set("save", "3600 1")
            await redis_of(store).bgsave()
            await store.members.report_death("w-one")
            before = await store.trail.log_key()
        refused = cohort("forget", str(ANN), home=home, REDIS_URL=url)
        assert refused.returncode != 0
        done = cohort("forget", str(ANN), "--yes", home=home, REDIS_URL=url)
        assert (done.returncode, done.stderr) == (0, "")
        assert f"in {GROUP}: what others and agents said of this person stays" in done.stdout
        assert "left:" not in done.stdout
        async with connect(settings) as store:
            assert await store.trail.log_key() != before
        held = {path: path.read_bytes() for path in home.rglob("*") if path.is_file()}
        assert any(path.parent.name == "appendonlydir" for path in held)
        for path, content in held.items():
            text = content.replace(str(GROUP).encode(), b"").replace(f"{ANN}5".encode(), b"")
            assert str(ANN).encode() not in text, path
            assert b"annword" not in text, path
            assert before not in text, path
        assert (home / "sessions" / f"{BOT}_{BOB}").is_dir()
        assert not (home / "sessions" / f"{BOT}_{ANN}").exists()
    finally:
        valkey.end()
    assert (home / "logs" / "bot.log").read_text().count(str(HIS)) == 1


def test_a_log_that_is_written_to_loses_no_line_when_a_number_in_it_is_masked(tmp_path: Path) -> None:
    path = tmp_path / "a.log"
    lines = [f"line {n} user={ANN} other={ANN}0 group=-{ANN}" for n in range(30_000)]
    path.write_text("\n".join(lines) + "\n")
    with path.open("a") as writer:
        assert log_files.mask(tmp_path, {ANN}) == len(lines)
        writer.write("more\n")
    masked = path.read_text().splitlines()
    assert masked == [f"line {n} user=xxxxxxx other={ANN}0 group=-{ANN}" for n in range(30_000)] + ["more"]


async def test_the_first_page_of_many_sessions_reads_no_more_than_a_page(store: Store) -> None:
    for chat in range(1, 1001):
        await redis_of(store).hset(keys.state(SessionKey(BOT, chat)), "turns", 1)  # type: ignore[misc]

    async def reads() -> int:
        told = (await redis_of(store).info("commandstats")).get("cmdstat_hmget", {})
        return int(told.get("calls", 0))

    before = await reads()
    page = await store.listing.page(3, after=f"{BOT}:1")
    assert [one.session.chat for one in page] == [10, 100, 1000]
    assert await reads() - before < 500
    last = await store.listing.page(5, wanted=lambda facts: facts.session.chat > 997)
    assert [one.session.chat for one in last] == [1000, 998, 999]
