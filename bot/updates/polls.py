"""Polls and checklists, by the Bot API's names (pure)."""

from bot.updates.objects import Entity, Files, Location, Venue
from bot.updates.values import Flag, Hint, HintNumber, Maybe, Numbers, Object, Objects


class ShownLink(Object):
    """``Link``."""

    url: Hint = None


class PollMedia(Files):
    """``PollMedia``: what is shown with a poll, its explanation or one of its options."""

    location: Maybe[Location] = None
    venue: Maybe[Venue] = None
    link: Maybe[ShownLink] = None


class Option(Object):
    """``PollOption``."""

    text: Hint = None
    text_entities: Objects[Entity] = ()
    persistent_id: Hint = None
    voter_count: HintNumber = None
    media: Maybe[PollMedia] = None


class Poll(Object):
    """``Poll``."""

    type: Hint = None
    """A quiz has one right answer or several."""
    question: Hint = None
    question_entities: Objects[Entity] = ()
    options: Objects[Option] = ()
    total_voter_count: HintNumber = None
    is_closed: Flag = False
    allows_multiple_answers: Flag = False
    close_date: HintNumber = None
    correct_option_ids: Numbers = ()
    """Told of a quiz that is closed or the bot's own."""
    correct_option_id: HintNumber = None
    """The same where the Bot API server is older than 10.0."""
    description: Hint = None
    description_entities: Objects[Entity] = ()
    media: Maybe[PollMedia] = None
    explanation: Hint = None
    """Of the right answer."""
    explanation_entities: Objects[Entity] = ()
    explanation_media: Maybe[PollMedia] = None

    @property
    def shown(self) -> tuple[PollMedia, ...]:
        """What is shown with it."""
        holders = (self.media, *(option.media for option in self.options), self.explanation_media)
        return tuple(holder for holder in holders if holder is not None)


class Task(Object):
    """``ChecklistTask``."""

    id: HintNumber = None
    text: Hint = None
    text_entities: Objects[Entity] = ()
    completion_date: HintNumber = None


class Checklist(Object):
    """``Checklist``."""

    title: Hint = None
    title_entities: Objects[Entity] = ()
    tasks: Objects[Task] = ()
