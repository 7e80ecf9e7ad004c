"""What `cohort doctor` and the compose file say of open ports: who can reach them, and with which secret."""

from pathlib import Path

import httpx
import pytest

from ops.commands.doctor import command as doctor
from playground.server import serving
from playground.state.world import State
from tasks.config.settings import load
from tests.conftest import TOKEN
from tests.harness.command import cohort
from tests.ops.test_containers import compose

WEBHOOK = {
    "TELEGRAM_BOT_TOKEN": TOKEN,
    "COHORT_WEBHOOK_URL": "https://a.example/hook",
    "COHORT_WEBHOOK_SECRET": "a-secret-of-decent-length",
}


@pytest.mark.promise("webhook")
async def test_doctor_says_whether_the_webhook_is_open_to_others_and_what_telegram_met_there() -> None:
    state = State(token=TOKEN)
    async with serving(state) as url, httpx.AsyncClient(trust_env=False, verify=False, timeout=60) as http:
        given = WEBHOOK | {"TELEGRAM_BASE_URL": url}
        (fine,) = await doctor.webhook(load(given), http)
        assert (fine.severity, fine.about) == ("ok", "webhook")
        assert "127.0.0.1, port 8443" in fine.seen
        state.bot.webhook.last_error, state.bot.webhook.last_error_at = "Connection refused", 1
        state.bot.webhook.url = "https://a.example/hook"
        findings = await doctor.webhook(load(given | {"COHORT_WEBHOOK_HOST": "0.0.0.0"}), http)
    assert [finding.severity for finding in findings] == ["ok", "warning", "warning"]
    assert "0.0.0.0" in findings[1].seen
    assert "Connection refused" in findings[2].seen
    assert not any(WEBHOOK["COHORT_WEBHOOK_SECRET"] in finding.line() for finding in findings)


@pytest.mark.promise("webhook")
@pytest.mark.parametrize("command", ["doctor", "bot"])
def test_an_empty_webhook_secret_is_one_line_from_every_command(tmp_path: Path, command: str) -> None:
    done = cohort(command, home=tmp_path, **WEBHOOK | {"COHORT_WEBHOOK_SECRET": " "}, REDIS_URL="redis://127.0.0.1:1/0")
    assert done.returncode == 2
    assert done.stderr == "cohort: COHORT_WEBHOOK_SECRET: required with COHORT_WEBHOOK_URL\n"


def test_only_the_bots_container_takes_webhooks_from_outside_and_none_is_published() -> None:
    services = compose()["services"]
    hosts = {name: service.get("environment", {}).get("COHORT_WEBHOOK_HOST") for name, service in services.items()}
    assert {name for name, host in hosts.items() if host} == {"bot"}
    assert "ports" not in services["bot"]
    assert services["flower"]["ports"] == ["127.0.0.1:5555:5555"]
