"""The bot's own part of ``COHORT_BOTS``, as its process reads it."""

from pathlib import Path

import pytest

from bot.process.pause import own_entry
from tasks.config.settings import load
from tasks.operator_files.agent_files import BadFile


@pytest.mark.promise("many-bots")
def test_a_bot_s_process_that_starts_while_the_file_is_broken_goes_on_with_what_it_said(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    file = tmp_path / "bots.yaml"
    file.write_text("bots:\n  one: {token: $ONE, paused: true}\n")
    settings = load({"COHORT_BOTS": str(file), "COHORT_BOT": "one", "COHORT_HOME": str(tmp_path / "home")})
    assert own_entry(settings) is not None
    file.write_text("bots: [\n")
    own = own_entry(settings)
    assert own is not None
    assert own.now is not None
    assert own.now.paused
    assert [record.getMessage() for record in caplog.records] == ["bots.refused"]
    with pytest.raises(BadFile):
        own_entry(settings.model_copy(update={"home": tmp_path / "new"}))
