"""The client: nothing asked at start, nothing told to the log."""

import logging

import pytest
from telegram.error import NetworkError

from botapi.shape import Shape
from tests.telegram.conftest import World


async def test_a_worker_starts_without_asking_telegram_anything(world: World) -> None:
    assert await world.pg.journal() == []


async def test_an_answer_that_is_no_json_is_a_fault_of_the_network_and_is_not_logged(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    session = await world.session()
    await world.pg.fault("garbage", "sendMessage")
    with caplog.at_level(logging.INFO), pytest.raises(NetworkError):
        await world.calls.create(session, Shape("hi"))
    assert "html" not in caplog.text
