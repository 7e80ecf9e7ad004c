"""`cohort worker --own`: a machine that runs chats' own processes and nothing else."""

import signal
from pathlib import Path

import pytest

from tasks.session import SessionKey
from tasks.store import Store
from tests.conftest import BOT, TOKEN
from tests.harness.command import cohort
from tests.harness.nursery import nursery
from tests.harness.product import Harness
from tests.support.until import until

ONE = SessionKey(BOT, 1)


@pytest.mark.promise("own-process")
async def test_a_machine_runs_chats_own_processes_alone_and_takes_them_with_it_when_it_ends(
    store: Store, redis_url: str, tmp_path: Path
) -> None:
    with Harness(tmp_path / "h", redis_url, nursery()) as harness:
        given = {"TELEGRAM_BOT_TOKEN": TOKEN, "COHORT_FORK": "off", "GENERIC_BASE_URL": "http://127.0.0.1:1/v1"}
        host = harness.start("own host", ["-m", "ops.entry", "worker", "--own"], **given)
        host.wait_line("ready for 16 processes")
        await store.own.ask(ONE)

        async def reported() -> bool:
            (here,) = (await store.own.hosts()).values() or (None,)
            return here is not None and bool(await store.own.statuses(here.processes))

        await until(reported)
        assert (await store.own.look(ONE)).has_process
        host.signal(signal.SIGTERM)
        assert host.wait() == 0, host.output
        standing = await store.own.look(ONE)
        assert (standing.has_process, standing.hosts) == (False, ())


def test_a_machine_on_which_none_may_run_is_told_what_to_set(tmp_path: Path, redis_url: str) -> None:
    done = cohort("worker", "--own", home=tmp_path, REDIS_URL=redis_url, TELEGRAM_BOT_TOKEN=TOKEN, COHORT_OWN_MAX="0")
    assert (done.returncode, "COHORT_OWN_MAX" in done.stderr) == (2, True), done.stderr
    done = cohort("worker", "--own", home=tmp_path, REDIS_URL=redis_url)
    assert (done.returncode, "TELEGRAM_BOT_TOKEN is not set" in done.stderr) == (2, True), done.stderr
