"""Commands that choose a setting for a chat: the picker, and what is stored."""

import pytest

from tasks.chats import choices as chat_choices
from tasks.chats.access import Access
from tasks.chats.choices import CHAT_CHOICES
from tasks.chats.model_lines import KINDS, model_line
from tasks.config.settings import Settings
from tasks.phrases import LANGUAGES, labelled, phrase, speaking
from tasks.store import Store
from tests.bot.conftest import BotUnderTest, make_bot
from tests.bot.updates import ANN, BOT, GROUP, message, pressed, said
from tests.support.own_replies import own_replies
from tests.support.redis_of import redis_of

ANNS = "4242:700"


async def test_a_command_without_a_value_shows_the_values_with_the_deployments_marked(bot: BotUnderTest) -> None:
    await bot.intake.take([said("/queue", update_id=1)])
    ((_, shown),) = await own_replies(bot.store, 4242)
    assert "This conversation uses “Collect”." in shown.text
    labels = [button.text for row in shown.buttons for button in row]
    assert labels == ["✓ Collect", *labels[1:]]
    assert {"Queue up", "Interrupt"} < set(labels)
    assert max(map(len, shown.buttons)) == 2, "two columns"


async def test_a_command_marks_what_the_chat_chose(bot: BotUnderTest, store: Store) -> None:
    await redis_of(store).hset(f"cohort:s:{ANNS}:state", "queue", "followup")
    await bot.intake.take([said("/queue", update_id=1)])
    ((_, shown),) = await own_replies(bot.store, 4242)
    assert "✓ Queue up" in [button.text for row in shown.buttons for button in row]


async def test_a_value_this_release_does_not_know_counts_as_none(bot: BotUnderTest, store: Store) -> None:
    await redis_of(store).hset(f"cohort:s:{ANNS}:state", "queue", "telepathy")
    await bot.intake.take([said("/queue", update_id=1)])
    ((_, shown),) = await own_replies(bot.store, 4242)
    assert "This conversation uses “Collect”." in shown.text


async def test_a_value_given_with_the_command_or_by_a_button_is_stored_for_the_worker(bot: BotUnderTest) -> None:
    picker = message("choose", sender=BOT)
    await bot.intake.take(
        [
            said("/queue Interrupt", update_id=1),
            said("/queue default", update_id=2),
            pressed("queue:followup", picker, update_id=3),
        ]
    )
    await bot.followed()
    inbox = await bot.inbox(ANNS)
    assert [(entry.choice, entry.pressed) for entry in inbox] == [
        ({"queue": "interrupt"}, False),
        ({"queue": ""}, False),
        ({"queue": "followup"}, True),
    ]
    assert inbox[-1].message_id == picker.message_id


async def test_a_value_that_does_not_exist_is_refused_in_words(bot: BotUnderTest) -> None:
    refused = pressed("queue:never", message("x", sender=BOT), update_id=2)
    await bot.intake.take([said("/queue never", update_id=1), refused])
    assert await bot.inbox(ANNS) == []
    assert all("/queue doesn't know “never”." in text for _, text in await bot.said())


async def test_a_value_that_does_not_exist_is_answered_with_those_that_do(bot: BotUnderTest) -> None:
    bot.agents.names = ("poet", "writer")
    wanted = ("/queue never", "/agent chef")
    await bot.intake.take([said(word, update_id=number) for number, word in enumerate(wanted, 1)])
    (_, queue), (_, agent) = await own_replies(bot.store, 4242)
    assert "You can choose: Collect, Queue up, Interrupt, Join in." in queue.text
    assert [button.data for row in queue.buttons for button in row] == [
        f"queue:{value}" for value in CHAT_CHOICES["queue"].values
    ]
    assert [button.data for row in agent.buttons for button in row] == ["agent:poet", "agent:writer"]


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_value_is_known_by_what_its_button_says_in_each_language(language: str) -> None:
    for choice in CHAT_CHOICES.values():
        with speaking(language):
            for value in choice.values:
                assert choice.value_of(f" {choice.label(value).upper()} ") == value
        assert choice.value_of("Never") == "never"


async def test_a_press_in_a_picker_says_for_a_moment_what_it_changed(bot: BotUnderTest) -> None:
    picker = message("choose", sender=BOT)
    bot.agents.names = ("writer",)
    long = f"model:{'x' * 58}"
    buttons = ("queue:followup", "steps:fold", "thinking:default", "agent:writer", "agent:default", "queue:never", long)
    presses = [pressed(data, picker, update_id=number) for number, data in enumerate(buttons, 1)]
    await bot.intake.take(presses)
    await bot.followed()
    says = [said for _, said in bot.signs.pressed]
    assert says[0] == f"Okay. {CHAT_CHOICES['queue'].meaning('followup')}"
    assert says[1] == f"Okay. {CHAT_CHOICES['steps'].meaning('fold')}"
    assert says[2] == phrase("switched-default", command="thinking")
    assert says[3:5] == [phrase("switched", name="writer"), phrase("switched-agent-default")]
    assert says[5:] == [None, phrase("model-fixed")], "the worker says that there is no such value"


@pytest.mark.parametrize("data", ["model:nope", "resume:77", "allow:9", "deny:9"])
async def test_a_press_that_changes_nothing_is_a_toast_and_no_line(bot: BotUnderTest, data: str) -> None:
    """In a group a line would be for all, and each press would bring one more."""
    await bot.intake.take([pressed(data, message("choose", chat=GROUP, sender=BOT), update_id=1)])
    await bot.followed()
    ((_, says),) = bot.signs.pressed
    assert says
    assert await own_replies(bot.store, 4242) == []


async def test_a_command_that_is_typed_has_no_toast(bot: BotUnderTest) -> None:
    await bot.intake.take([said("/queue followup", update_id=1)])
    await bot.followed()
    assert bot.signs.pressed == []


async def test_agents_are_told_apart_by_what_their_cards_say(bot: BotUnderTest) -> None:
    bot.agents.about = {"poet": "Writes in verse"}
    await bot.intake.take([said("/agent", update_id=1)])
    ((_, shown),) = await own_replies(bot.store, 4242)
    assert shown.text.splitlines()[-1] == "poet: Writes in verse"
    assert "assistant: " not in shown.text, "its card says nothing"


async def test_models_are_told_apart_by_their_provider_and_what_they_read(settings: Settings, store: Store) -> None:
    bot = make_bot(settings.model_copy(update={"models": ("sonnet", "a" * 50, "own")}), store)
    bot.agents.facts = {
        "sonnet": ("Anthropic", "image", "pdf", "smell"),
        "a" * 50: ("Google", "image"),
        "own": ("",),
    }
    await bot.intake.take([said("/model", update_id=1)])
    ((_, shown),) = await own_replies(bot.store, 4242)
    lines = shown.text.splitlines()
    assert lines[lines.index("") + 1 :] == ["sonnet: Anthropic · reads images, PDFs", f"{'a' * 50}: Google"]
    facts = ("Alibaba Cloud", *KINDS)
    for language in LANGUAGES:
        with speaking(language):
            assert len(labelled("sonnet", model_line("sonnet", facts))) <= 64
            assert model_line("sonnet", ("", *KINDS))


async def test_the_agent_that_answers_where_none_was_chosen_is_named_and_marked(bot: BotUnderTest) -> None:
    await bot.intake.take([said("/agent", update_id=1), said("/status", update_id=2)])
    (_, shown), (_, status) = await own_replies(bot.store, 4242)
    assert [button.text for row in shown.buttons for button in row] == ["✓ assistant", "poet"]
    assert phrase("uses-agent", name="assistant") in shown.text
    assert "assistant" in status.text


async def test_admins_read_their_commands_in_help_too_and_in_private_only(settings: Settings, store: Store) -> None:
    bot = make_bot(settings, store, access=Access(everybody=True, allow=frozenset(), admins=frozenset({ANN.id})))
    await bot.intake.take([said("/help", update_id=1), said("/help", chat=GROUP, update_id=2)])
    (_, alone), (_, group) = await bot.said()
    assert "/people - " in alone
    assert "/people - " not in group


def test_names_that_all_have_buttons_are_not_written_out_above_them_too() -> None:
    assert "sonnet" not in chat_choices.uses("model", "haiku", ("haiku", "sonnet"), {})
    long = "m" * 80
    assert long in chat_choices.uses("model", "haiku", ("haiku", long), {}), "no button carries it"
