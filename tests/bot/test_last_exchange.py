"""Commands about the last exchange, on their way to the worker."""

from tests.bot.conftest import Doorway
from tests.bot.updates import BOT, message, pressed, said

ANNS = "4242:700"


async def test_retry_means_the_last_message_and_its_button_those_of_an_outage(doorway: Doorway) -> None:
    button = pressed("retry", message("sorry", sender=BOT), update_id=2)
    await doorway.door.take([said("/retry", update_id=1), button])
    assert [(entry.kind, entry.last) for entry in await doorway.inbox(ANNS)] == [("retry", True), ("retry", False)]


async def test_undo_given_twice_by_telegram_is_taken_once_and_left_alone_by_older_workers(doorway: Doorway) -> None:
    for _ in range(2):
        await doorway.door.take([said("/undo", update_id=1)])
    (undo,) = await doorway.inbox(ANNS)
    assert (undo.kind, undo.v) == ("undo", 3)
