"""An operator says what a model reads that fast-agent does not know."""

from pathlib import Path

import pytest

from tasks.envelope import Media
from tasks.errors import Misconfigured
from tasks.settings import load
from tests.runtime.support import Open, Screen, ask, inbound
from tests.runtime.test_media import CAT, PHOTO, REPORT, Shelf
from tests.support.model import Model


@pytest.fixture
def shelf(tmp_path: Path) -> Shelf:
    folder = tmp_path / "shelf"
    folder.mkdir()
    (folder / "photo-1").write_bytes(CAT)
    (folder / "doc-1").write_bytes(b"%PDF")
    (folder / "song").write_bytes(b"ID3")
    return Shelf(folder)


@pytest.mark.promise("model-reads")
async def test_a_model_that_fast_agent_does_not_know_sees_when_its_operator_says_so(
    runtime: Open, model: Model, shelf: Shelf
) -> None:
    song = Media(kind="audio", file_id="song")
    async with runtime(media=shelf, COHORT_MODEL_READS="generic.other=image generic.mock=image,pdf") as engine:
        done = await engine.run(ask(1, inbound(1, "look", media=(PHOTO, REPORT, song))), Screen())
    assert model.journal[0].messages[1]["text"] == (
        'look\n<image_url>\n<tg-file kind="document" name="report.pdf"/>\n<file>\n<tg-file kind="audio"/>'
    )
    assert done.notices == ("This model can't listen to audio files, so I skipped yours.",)
    async with runtime(media=shelf) as engine:
        done = await engine.run(ask(1, inbound(1, "look", media=(PHOTO,))), Screen())
    assert done.notices == ("This model can't read images, so I skipped yours.",), "it holds for one start only"


@pytest.mark.promise("model-reads")
async def test_a_wrong_word_of_what_models_read_is_one_line_at_the_start(runtime: Open) -> None:
    for value in ("generic.mock", "generic.mock=audio", "=image", "generic.mock="):
        with pytest.raises(Misconfigured, match="COHORT_MODEL_READS: must be MODEL="):
            load({"COHORT_MODEL_READS": value})
    with pytest.raises(Misconfigured, match=r"COHORT_MODEL_READS: nothing\.at-all: "):
        async with runtime(COHORT_MODEL_READS="nothing.at-all=image"):
            pass
