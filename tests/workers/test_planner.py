"""What comes next in a session: one test for each row of the planner's table."""

import pytest

from tasks.phrases import phrase
from tasks.stopping import new_conversation
from tests.workers.inboxes import DAMAGED, NOW, TOO_NEW, decide, entry, messages_of, photo, word
from workers import texts
from workers.sessions.planning.batching import ALBUM_PAUSE_S, COLLECT_CHARACTERS, COLLECT_MESSAGES
from workers.sessions.planning.planner import Compact, Control, GiveUp, Handled, HandOff, Move, Retry, Run, Wait

# -- messages


def test_all_waiting_messages_are_answered_together_in_their_order() -> None:
    plan = decide(entry(1, "a"), entry(2, "b"), entry(3, "c"))
    assert messages_of(plan) == ["a", "b", "c"]
    assert plan.handled == Handled(3, (1, 2, 3))  # type: ignore[union-attr]


def test_in_followup_mode_each_message_has_its_own_turn() -> None:
    assert messages_of(decide(entry(1, "a"), entry(2, "b"), mode="followup")) == ["a"]


def test_in_interrupt_mode_the_next_turn_gets_its_message_and_the_new_ones() -> None:
    assert messages_of(decide(entry(1, "a"), entry(2, "b"), mode="interrupt")) == ["a", "b"]


def test_more_text_than_a_turn_takes_is_left_for_the_next() -> None:
    half = "x" * (COLLECT_CHARACTERS // 2)
    plan = decide(entry(1, half), entry(2, half), entry(3, "one more"))
    assert isinstance(plan, Run)
    assert plan.handled.answers == (1, 2)


def test_more_messages_than_a_turn_takes_are_left_for_the_next() -> None:
    plan = decide(*(entry(number, "a") for number in range(100)))
    assert isinstance(plan, Run)
    assert plan.handled.drop == COLLECT_MESSAGES


def test_a_message_longer_than_that_is_taken_alone() -> None:
    plan = decide(entry(1, "x" * (COLLECT_CHARACTERS + 1)), entry(2, "b"))
    assert isinstance(plan, Run)
    assert plan.handled.answers == (1,)


def test_collecting_ends_at_a_control_word_that_takes_its_turn() -> None:
    plan = decide(entry(1, "a"), word(2, "choose", choice={"model": "m"}), entry(3, "b"))
    assert messages_of(plan) == ["a"]


# -- albums and edits


def test_the_parts_of_an_album_are_one_message_with_all_its_files_and_its_caption() -> None:
    plan = decide(photo(1, "x", text="caption"), photo(2, "x"), photo(3, "x"), entry(4, "b"))
    assert isinstance(plan, Run)
    album, other = plan.messages
    assert [(file.file_id, file.caption) for file in album.media] == [("f1", None), ("f2", None), ("f3", None)]
    assert (album.text, other.text) == ("caption", "b")
    assert plan.handled.answers == (1, 2, 3, 4)


def test_of_an_album_with_several_captions_each_stays_with_its_file() -> None:
    plan = decide(photo(1, "x", text="one"), photo(2, "x"), photo(3, "x", text="three"))
    assert isinstance(plan, Run)
    (album,) = plan.messages
    assert [(file.file_id, file.caption) for file in album.media] == [("f1", "one"), ("f2", None), ("f3", "three")]
    assert album.text == ""


def test_an_album_is_one_message_in_followup_mode_too() -> None:
    plan = decide(photo(1, "x"), photo(2, "x"), photo(3, "y"), mode="followup")
    assert isinstance(plan, Run)
    assert plan.handled.drop == 2


def test_an_album_that_may_still_grow_is_waited_for() -> None:
    assert decide(photo(1, "x", at=NOW - 0.2)) == Wait(pytest.approx(ALBUM_PAUSE_S - 0.2))
    assert isinstance(decide(photo(1, "x", at=NOW - 0.2), entry(2, "b", at=NOW)), Run)
    assert isinstance(decide(photo(1, "x", at=NOW - 1)), Run)


def test_an_album_is_waited_for_though_the_clock_that_stamped_it_is_ahead() -> None:
    assert decide(photo(1, "x", at=NOW)) == Wait(ALBUM_PAUSE_S)
    assert decide(photo(1, "x", at=NOW + 1)) == Wait(ALBUM_PAUSE_S)


def test_a_clock_that_jumped_does_not_hold_an_album() -> None:
    assert isinstance(decide(photo(1, "x", at=NOW + 3600)), Run)


def test_an_edit_of_a_waiting_message_is_answered_in_its_place() -> None:
    plan = decide(entry(1, "old"), entry(2, "b"), entry(3, "new", message_id=1, edited=True))
    assert messages_of(plan) == ["new", "b"]
    assert plan.handled.answers == (1, 2, 3)  # type: ignore[union-attr]


def test_an_edited_caption_is_no_further_part_of_its_album() -> None:
    edit = photo(3, "x", text="new", message_id=1, edited=True)
    plan = decide(photo(1, "x", text="old"), photo(2, "x"), edit)
    assert isinstance(plan, Run)
    (album,) = plan.messages
    assert album.text == "new"
    assert [file.file_id for file in album.media] == ["f3", "f2"]


def test_an_edit_of_an_answered_message_is_a_message() -> None:
    assert messages_of(decide(entry(7, "new", message_id=1, edited=True))) == ["new"]


# -- control words


def test_stop_sets_aside_what_waits_before_it_and_says_how_much() -> None:
    plan = decide(entry(1, "a"), entry(2, "b"), word(3, "stop"), entry(4, "c"))
    assert plan == Control(Handled(3, (1, 2, 3)), texts.stopped(2), {}, cuts=True)


def test_stop_counts_an_album_once_and_edits_not_at_all() -> None:
    plan = decide(photo(1, "x"), photo(2, "x"), entry(3, "e", message_id=2, edited=True), word(4, "stop"))
    assert isinstance(plan, Control)
    assert plan.words == texts.stopped(2)


@pytest.mark.promise("control-words")
def test_the_last_control_word_wins_and_what_comes_behind_it_stays() -> None:
    plan = decide(entry(1), word(2, "stop"), entry(3), word(4, "new"), entry(5, "after"))
    assert isinstance(plan, Control)
    assert (plan.handled.drop, plan.forget) == (4, True)


def test_a_new_says_to_its_person_alone_that_their_message_was_skipped() -> None:
    ann, ben = {"id": 1, "name": "Ann"}, {"id": 2, "name": "Ben"}
    own, others = (decide(entry(1, "a", sender=one), word(2, "new", sender=ann)) for one in (ann, ben))
    assert isinstance(own, Control)
    assert isinstance(others, Control)
    assert own.words == "New conversation. I skipped your last message."
    assert others.words == "New conversation. 1 message was skipped."


def test_a_new_before_a_stop_still_begins_a_conversation() -> None:
    plan = decide(entry(1), word(2, "new"), entry(3), word(4, "stop"))
    assert isinstance(plan, Control)
    assert plan.forget
    assert phrase("new-conversation") in plan.words
    assert plan.words.startswith("Stopped")


def test_what_was_chosen_before_a_stop_holds() -> None:
    choices = [word(2, "choose", choice={"model": "m"}), word(3, "choose", choice={"agent": "a", "model": "n"})]
    plan = decide(entry(1), *choices, word(4, "stop"))
    assert isinstance(plan, Control)
    assert plan.set == {"model": "n", "agent": "a"}
    assert texts.chosen(plan.set) in plan.words


def test_a_choice_is_answered_without_the_agent() -> None:
    plan = decide(word(1, "choose", choice={"model": "m"}), entry(2, "b"))
    assert plan == Control(Handled(1, (1,)), texts.chosen({"model": "m"}), {"model": "m"})


@pytest.mark.parametrize(("kind", "plan"), [("retry", Retry), ("compact", Compact)])
def test_a_button_pressed_twice_is_pressed_once(kind: str, plan: type) -> None:
    found = decide(word(1, kind), word(2, kind), entry(3, "b"))
    assert isinstance(found, plan)
    assert found.handled.answers == (1, 2)  # type: ignore[union-attr]


def test_what_is_said_with_new_is_the_first_message_of_the_new_conversation() -> None:
    plan = decide(entry(1, "a"), entry(2, "hello", kind="new", quote="q"), entry(3, "b"))
    assert isinstance(plan, Control)
    assert (plan.handled, plan.words, plan.forget) == (Handled(2, (1,)), new_conversation(1), True)
    assert plan.then is not None
    assert (plan.then.kind, plan.then.text, plan.then.quote, plan.then.update_id) == ("message", "hello", "q", 2)
    assert messages_of(decide(plan.then.to_json().encode(), entry(3, "b"))) == ["hello", "b"]


def test_what_is_said_with_stop_is_not_answered() -> None:
    plan = decide(entry(1, "a"), entry(2, "please", kind="stop"))
    assert plan == Control(Handled(2, (1, 2)), texts.stopped(1), {}, cuts=True)


def test_what_was_said_with_a_new_that_another_one_followed_is_set_aside() -> None:
    plan = decide(entry(1, "hello", kind="new"), word(2, "new"))
    assert plan == Control(Handled(2, (1, 2)), new_conversation(1), {}, forget=True, cuts=True)


def test_a_message_said_with_new_does_not_take_a_suspects_place() -> None:
    plan = decide(entry(1, "hello", kind="new"), entry(2, "suspect"), isolate_next=3)
    assert isinstance(plan, Control)
    # The message itself, and the two behind it.
    assert plan.handled.isolate_next == 3


# -- a group that became a supergroup


def test_that_a_group_moved_goes_before_everything_else_and_is_one_thing_however_often_it_is_said() -> None:
    moved, again = (entry(number, kind="moved", v=2, moved_to=-1001) for number in (3, 5))
    assert decide(entry(1, "a"), word(2, "stop"), moved, entry(4, "b"), again, tries=4) == Move(-1001, (moved, again))


def test_an_edit_in_a_supergroup_is_none_of_a_message_that_came_along_from_its_group() -> None:
    edit = entry(2, "new", session="1:-1001", message_id=1, edited=True)
    assert messages_of(decide(entry(1, "old"), edit)) == ["old", "new"]


# -- what does not end


@pytest.mark.promise("poison-message")
def test_a_message_begun_three_times_without_an_end_goes_to_the_dead_letters_at_the_fourth() -> None:
    for tries in (1, 2, 3):
        assert messages_of(decide(entry(1, "poison"), entry(2, "b"), tries=tries))[0] == "poison"
    plan = decide(entry(1, "poison"), entry(2, "b"), tries=4)
    assert isinstance(plan, GiveUp)
    assert plan.handled == Handled(1, (1,))
    assert plan.letter.inbound is not None
    assert plan.letter.inbound.text == "poison"
    assert "3 times" in plan.letter.reason


def test_after_a_turn_without_an_end_the_next_takes_one_message() -> None:
    assert messages_of(decide(entry(1, "a"), entry(2, "b"), tries=2)) == ["a"]


def test_those_begun_together_with_it_are_run_one_at_a_time() -> None:
    inbox = [entry(1, "a"), entry(2, "b"), entry(3, "c"), entry(4, "later"), entry(5, "later still")]
    first = decide(*inbox, tries=2, batch_size=3)
    assert (messages_of(first), first.handled.isolate_next) == (["a"], 2)  # type: ignore[union-attr]
    second = decide(*inbox[1:], isolate_next=2)
    assert (messages_of(second), second.handled.isolate_next) == (["b"], 1)  # type: ignore[union-attr]
    third = decide(*inbox[2:], isolate_next=1)
    assert (messages_of(third), third.handled.isolate_next) == (["c"], 0)  # type: ignore[union-attr]
    assert messages_of(decide(*inbox[3:], isolate_next=0)) == ["later", "later still"]


def test_a_suspect_goes_to_the_dead_letters_after_three_tries_the_common_one_included() -> None:
    assert messages_of(decide(entry(2, "b"), entry(3, "c"), tries=2, isolate_next=2)) == ["b"]
    assert isinstance(decide(entry(2, "b"), entry(3, "c"), tries=3, isolate_next=2), GiveUp)


def test_an_album_goes_to_the_dead_letters_whole() -> None:
    plan = decide(photo(1, "x"), photo(2, "x"), entry(3, "b"), tries=4)
    assert isinstance(plan, GiveUp)
    assert plan.handled.drop == 2
    assert plan.letter.inbound is not None
    assert len(plan.letter.inbound.media) == 2


def test_stop_goes_before_a_burial() -> None:
    assert isinstance(decide(entry(1, "poison"), word(2, "stop"), tries=4), Control)


# -- what cannot be read


def test_what_cannot_be_read_goes_to_the_dead_letters_as_it_stands() -> None:
    plan = decide(DAMAGED, entry(2))
    assert isinstance(plan, GiveUp)
    assert (plan.handled.drop, plan.to, plan.letter.raw) == (1, None, DAMAGED.decode())


@pytest.mark.promise("version-skew")
def test_what_a_newer_release_wrote_is_left_to_it() -> None:
    assert isinstance(decide(TOO_NEW, entry(2)), HandOff)


@pytest.mark.parametrize("other", [TOO_NEW, DAMAGED])
def test_what_stands_before_it_is_answered_first(other: bytes) -> None:
    assert messages_of(decide(entry(1, "a"), other, entry(3, "b"))) == ["a"]
