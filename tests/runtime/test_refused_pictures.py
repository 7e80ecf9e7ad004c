"""A provider that cannot open a picture: its person reads that, and what to do."""

import pytest

from tasks.phrases import phrase
from tests.runtime.support import Open, Screen, ask
from tests.support.model import Model
from workers.interfaces import TurnFailed
from workers.runtime.faults.classify import classify
from workers.runtime.faults.model_fault import ModelFault

ABOUT_A_PICTURE = [
    "Could not process image",
    "messages.0.content.0.image.source.base64: image exceeds 5 MB maximum: 6291456 bytes > 5242880 bytes",
    "At least one of the image dimensions exceed max allowed size: 8000 pixels",
    "Image does not match the provided media type image/png",
    "You uploaded an unsupported image. Please make sure your image is valid.",
    "The image data you provided does not represent a valid image. Please check your input and try again.",
    "Invalid image data",
    "Unable to process input image. Please retry or report in the forum.",
    "Provided image is not valid.",
    "Failed to load image or audio file",
    "cannot identify image file <_io.BytesIO object at 0x7f>",
]


class RefusedError(Exception):
    status_code = 400


@pytest.mark.parametrize("words", ABOUT_A_PICTURE)
def test_a_picture_that_a_provider_cannot_open_is_named(words: str) -> None:
    failure = classify(ModelFault.of(RefusedError(f"Error code: 400 - {words}")))
    assert (failure.action, failure.words) == ("tell", phrase("fault-picture"))


@pytest.mark.parametrize("words", ["Invalid value for temperature", "messages: unexpected role", "image"])
def test_other_refusals_are_none_of_a_picture(words: str) -> None:
    assert classify(ModelFault.of(RefusedError(f"Error code: 400 - {words}"))).words == phrase("fault-unusable")
    quoted = classify(ModelFault.of(RefusedError("400 could not process image")), sent=["could not process image"])
    assert quoted.words == phrase("fault-unusable"), "the person's own words"


async def test_its_person_reads_it(runtime: Open, model: Model) -> None:
    model.fault(status=400, code="invalid_request_error", message=ABOUT_A_PICTURE[0])
    async with runtime() as engine:
        with pytest.raises(TurnFailed) as refused:
            await engine.run(ask(1, "what is it?"), Screen())
    assert refused.value.words == phrase("fault-picture")
