"""Logins of people: sealed in Redis, changed by one writer at a time, gone with their person."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from tasks import keys
from tasks.chats.logins import Login, LoginState, place_of
from tasks.config.settings import Settings, load
from tasks.errors import Misconfigured
from tasks.secret_box import NotOurs, SecretBox
from tasks.store import Store, connect
from tasks.store.backup import dump
from tasks.store.erasure import ErasureScope
from tests.conftest import TOKEN
from tests.support.redis_of import redis_of

OLD, NEW = "old-key-of-thirty-two-characters!", "new-key-of-thirty-two-characters!"
ANN, BEN, BOT = 700, 701, 4242


@pytest.fixture
def settings(redis_url: str) -> Settings:
    return load({"REDIS_URL": redis_url, "TELEGRAM_BOT_TOKEN": TOKEN, "COHORT_SECRET_KEY": OLD})


def linked(person: int, token: str = "t0ken", server: str = "calendar") -> Login:
    return Login(of=place_of(BOT, person, server), grant="g", tokens={"access_token": token, "token_type": "Bearer"})


async def keep(store: Store, person: int, token: str = "t0ken", server: str = "calendar") -> None:
    await store.logins.change(BOT, person, server, lambda _: linked(person, token, server))


@pytest.fixture
async def rotated(redis_url: str) -> AsyncIterator[Store]:
    given = {"REDIS_URL": redis_url, "TELEGRAM_BOT_TOKEN": TOKEN, "COHORT_SECRET_KEY": f"{NEW}, {OLD}"}
    async with connect(load(given)) as opened:
        yield opened


@pytest.mark.promise("login-sealed")
async def test_what_is_kept_says_nothing_to_a_reader_of_redis_or_of_a_backup(store: Store) -> None:
    await keep(store, ANN)
    (raw,) = await redis_of(store).hvals(keys.logins(BOT, ANN))
    assert b"t0ken" not in raw
    kept = [record async for record in dump(redis_of(store), _Now())]
    (sealed,) = [record for record in kept if record.key == keys.logins(BOT, ANN)]
    assert raw in sealed.value
    assert (await store.logins.read(BOT, ANN, "calendar")) == linked(ANN)


class _Now:
    def now(self) -> float:
        return 0.0

    def monotonic(self) -> float:
        return 0.0


@pytest.mark.promise("login-sealed")
async def test_a_login_that_is_moved_to_another_person_is_void(store: Store) -> None:
    await keep(store, ANN)
    (raw,) = await redis_of(store).hvals(keys.logins(BOT, ANN))
    await redis_of(store).hset(keys.logins(BOT, BEN), "calendar", raw)
    await redis_of(store).hset(keys.logins(BOT, ANN), "mail", raw)
    assert await store.logins.read(BOT, BEN, "calendar") is None
    assert list(await store.logins.all(BOT, ANN)) == ["calendar"]


@pytest.mark.promise("login-sealed")
async def test_a_further_key_in_front_rotates_and_a_lost_one_makes_a_login_void(store: Store, rotated: Store) -> None:
    await keep(store, ANN)
    assert await rotated.logins.read(BOT, ANN, "calendar") == linked(ANN)
    await keep(rotated, ANN, "newer")
    assert await store.logins.read(BOT, ANN, "calendar") is None
    await keep(store, ANN, "once more")
    assert await rotated.logins.read(BOT, ANN, "calendar") == linked(ANN, "once more")


async def test_of_many_changes_at_once_none_is_lost(store: Store) -> None:
    await keep(store, ANN, "0")

    def one_more(login: Login | None) -> Login | None:
        assert login is not None
        assert login.tokens is not None
        return linked(ANN, str(int(login.tokens["access_token"]) + 1))

    async with asyncio.TaskGroup() as group:
        for _ in range(12):
            group.create_task(store.logins.change(BOT, ANN, "calendar", one_more))
    login = await store.logins.read(BOT, ANN, "calendar")
    assert login == linked(ANN, "12")


async def test_a_change_that_changes_nothing_writes_nothing_and_one_to_nothing_leaves_no_key(store: Store) -> None:
    await keep(store, ANN)
    before = await redis_of(store).hvals(keys.logins(BOT, ANN))
    await store.logins.change(BOT, ANN, "calendar", lambda login: login)
    assert await redis_of(store).hvals(keys.logins(BOT, ANN)) == before
    await store.logins.change(BOT, ANN, "calendar", lambda _: None)
    assert not await redis_of(store).exists(keys.logins(BOT, ANN))


@pytest.mark.promise("forgotten")
async def test_a_forgotten_persons_logins_are_gone_and_others_stay(store: Store) -> None:
    await keep(store, ANN)
    await keep(store, BEN)
    await store.erasure.erase(ErasureScope(user=ANN), media=lambda _: (), strike=lambda _: None)
    assert await redis_of(store).keys("cohort:bot:*:logins:*") == [keys.logins(BOT, BEN).encode()]


async def test_without_a_key_nothing_is_kept_and_it_is_said_which_setting_is_missing(redis_url: str) -> None:
    async with connect(load({"REDIS_URL": redis_url, "TELEGRAM_BOT_TOKEN": TOKEN})) as store:
        assert not store.logins.kept
        with pytest.raises(Misconfigured, match="COHORT_SECRET_KEY is not set"):
            await keep(store, ANN)


@pytest.mark.parametrize("key", ["short", f"{OLD},short", f"{OLD},", "ü" * 40])
def test_a_key_that_is_too_short_is_refused(key: str) -> None:
    with pytest.raises(Misconfigured, match="COHORT_SECRET_KEY: each key has at least 32 characters"):
        load({"COHORT_SECRET_KEY": key})


def test_a_state_is_ours_or_nothing() -> None:
    box, other = SecretBox([OLD]), SecretBox([NEW])
    state = LoginState(bot=BOT, person=ANN, server="calendar", id="x")
    assert LoginState.opened(state.sealed(box), box) == state
    foreign = ["", "x", "é", state.sealed(other), box.seal("[]"), box.seal('["else", 1, 2, "s", "i"]'), box.seal("{")]
    assert [LoginState.opened(one, box) for one in foreign] == [None] * len(foreign)
    with pytest.raises(NotOurs):
        box.open(other.seal("x"))
