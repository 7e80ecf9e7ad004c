"""Asking what an update means, and samples of what messages hold."""

from typing import Any

from aiogram import types as tg

from bot.updates.meaning import BotIdentity, Ignored, Incoming, Understood
from bot.updates.understand import understand
from tasks.envelope import Inbound
from tests.bot.updates import ANN, GROUP, SOME_DAY

ME = BotIdentity.of(4242, "Cohort_Bot")
NOW = 1_700_000_000.0


def meaning_of(update: object) -> Understood:
    return understand(update, ME, NOW)


def heard(update: object) -> Incoming:
    found = meaning_of(update)
    assert isinstance(found, Incoming), found
    return found


def inbound(update: object) -> Inbound:
    return heard(update).inbound


def ignored(update: object) -> str:
    found = meaning_of(update)
    assert isinstance(found, Ignored), found
    return found.why


FILES: list[tuple[str, dict[str, Any]]] = [
    ("document", {"file_name": "a.pdf", "mime_type": "application/pdf", "file_size": 5}),
    ("voice", {"duration": 3, "mime_type": "audio/ogg"}),
    ("audio", {"duration": 180}),
    ("video", {"duration": 9, "width": 1, "height": 1}),
    ("video_note", {"duration": 9, "length": 1}),
    ("animation", {"duration": 2, "width": 1, "height": 1}),
    ("sticker", {"type": "regular", "width": 1, "height": 1, "is_animated": False, "is_video": False, "emoji": "👍"}),
]


def sticker(**fields: bool) -> tg.Sticker:
    given = {"is_animated": False, "is_video": False, "emoji": "👍", **fields}
    return tg.Sticker(file_id="S", file_unique_id="U", type="regular", width=1, height=1, **given)


def poll(kind: str, **fields: Any) -> tg.Poll:
    options = [tg.PollOption(persistent_id=text, text=text, voter_count=0) for text in ("yes", "no")]
    unused = {"total_voter_count": 0, "is_closed": False, "is_anonymous": True, "allows_multiple_answers": False}
    unused |= {"allows_revoting": False, "members_only": False}
    return tg.Poll(id="1", question="Tea?", options=options, type=kind, **unused, **fields)


DESCRIBED: list[tuple[dict[str, Any], str]] = [
    ({"location": tg.Location(latitude=52.5, longitude=13.4)}, "[location: 52.5, 13.4]"),
    (
        {
            "venue": tg.Venue(location=tg.Location(latitude=1, longitude=2), title="Zoo", address="Road 1"),
            "location": tg.Location(latitude=1, longitude=2),
        },
        "[place: Zoo, Road 1 (1.0, 2.0)]",
    ),
    ({"contact": tg.Contact(phone_number="+49", first_name="Cy", last_name="Do")}, "[contact: Cy Do, +49]"),
    ({"dice": tg.Dice(emoji="🎲", value=4)}, "[🎲 shows 4]"),
    (
        {
            "checklist": tg.Checklist(
                title="Trip", tasks=[tg.ChecklistTask(id=1, text="pack"), tg.ChecklistTask(id=2, text="go")]
            )
        },
        "[checklist: Trip\n- [ ] pack\n- [ ] go]",
    ),
    ({"story": tg.Story(chat=GROUP, id=4)}, "[a story of Friends]"),
    ({"sticker": sticker(is_animated=True)}, "[sticker: 👍]"),
    ({"sticker": sticker(is_video=True)}, "[sticker: 👍]"),
    ({"poll": poll("regular")}, "[poll: Tea?\n- yes\n- no]"),
    ({"poll": poll("quiz")}, "[quiz: Tea?\n- yes\n- no]"),
    ({"poll": poll("quiz", correct_option_ids=[1])}, "[quiz: Tea?\n- yes\n- no (right)]"),
    (
        {"invoice": tg.Invoice(title="Tea", description="hot", start_parameter="", currency="EUR", total_amount=250)},
        "[invoice: Tea, 250 of the smallest unit of EUR, hot]",
    ),
    (
        {
            "successful_payment": tg.SuccessfulPayment(
                currency="XTR",
                total_amount=5,
                invoice_payload="order 7",
                telegram_payment_charge_id="c",
                provider_payment_charge_id="p",
            )
        },
        "[payment received: 5 stars, for order 7]",
    ),
    (
        {
            "refunded_payment": tg.RefundedPayment(
                currency="XTR", total_amount=5, invoice_payload="", telegram_payment_charge_id="c"
            )
        },
        "[payment refunded: 5 stars]",
    ),
    (
        {"gift": tg.GiftInfo(gift=tg.Gift(id="g", sticker=sticker(is_animated=True), star_count=15), text="for you")},
        "[gift: 👍, worth 15 stars, for you]",
    ),
    ({"giveaway_created": tg.GiveawayCreated(prize_star_count=500)}, "[giveaway created: 500 stars]"),
    (
        {
            "giveaway": tg.Giveaway(
                chats=[GROUP],
                winners_selection_date=SOME_DAY,
                winner_count=2,
                premium_subscription_month_count=3,
                prize_description="a mug",
            )
        },
        "[giveaway: 2 winners, Telegram Premium for 3 months, a mug, in Friends, drawn 2026-11-01 12:00 UTC]",
    ),
    (
        {
            "giveaway_winners": tg.GiveawayWinners(
                chat=GROUP,
                giveaway_message_id=1,
                winners_selection_date=SOME_DAY,
                winner_count=1,
                winners=[ANN],
                unclaimed_prize_count=2,
            )
        },
        "[giveaway ended: 1 winners, drawn 2026-11-01 12:00 UTC, Ann Lee @annlee, 2 unclaimed]",
    ),
    ({"giveaway_completed": tg.GiveawayCompleted(winner_count=2)}, "[giveaway ended: 2 winners]"),
    (
        {
            "users_shared": tg.UsersShared(
                request_id=1, users=[tg.SharedUser(user_id=7, first_name="Cy", username="cy"), tg.SharedUser(user_id=8)]
            )
        },
        "[shared people: Cy @cy, a person]",
    ),
    ({"user_shared": tg.UserShared(request_id=1, user_id=7)}, "[shared people: a person]"),
    ({"chat_shared": tg.ChatShared(request_id=1, chat_id=-5, title="Den")}, "[shared chat: Den]"),
    (
        {"web_app_data": tg.WebAppData(data='{"seat": 4}', button_text="Pick")},
        '[data of a web app by the button Pick: {"seat": 4}]',
    ),
]
