"""The operator's file ``chats.yaml``: which agent and model answer in a chat, and when; what each role may use."""

import difflib
import logging
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StrictBool,
    StrictStr,
    ValidationError,
    field_validator,
    model_validator,
)
from pydantic_core import PydanticCustomError

from tasks.chats.roles import ROLES, RoleRules
from tasks.operator_files.agent_files import BadFile, line_of, read_mapping
from tasks.operator_files.kept_file import KeptFile
from tasks.operator_files.watched import Watched, stamp_of
from tasks.session import SessionKey

log = logging.getLogger("cohort.chats")

_MOST_CHATS = 10_000
_BEYOND_IDS = 2**53
"""Telegram's ids have at most 52 bits."""

type Mention = Literal["mention", "always", "never"]
type IsolationChoice = Literal["shared", "process"]


def _number(said: object) -> object:
    # `yes` and `on` are true in YAML, and true is 1.
    if isinstance(said, bool):
        raise PydanticCustomError("int_type", "is no number")
    return said


def _of_chat(number: int) -> int:
    if not 0 < abs(number) < _BEYOND_IDS:
        raise PydanticCustomError("int_type", "is no number of a chat")
    return number


def _of_topic(number: int) -> int:
    if not 0 < number < _BEYOND_IDS:
        raise PydanticCustomError("int_type", "is no number of a topic")
    return number


type _Chat = Annotated[int, BeforeValidator(_number), AfterValidator(_of_chat)]
type _Topic = Annotated[int, BeforeValidator(_number), AfterValidator(_of_topic)]


class ChatRule(BaseModel):
    """What holds in one chat or topic; None leaves it to the chat, and there to the settings."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    agent: StrictStr | None = None
    """Answers where the chat has not chosen another one."""
    model: StrictStr | None = None
    """Also one that ``COHORT_MODELS`` does not offer."""
    mention: Mention | None = None
    """In a group: messages are answered that mention the bot or reply to it (the default), all of them, or not one."""
    titles: StrictBool | None = None
    """Whether a model names new topics; else as ``COHORT_TOPIC_TITLES`` says."""
    isolation: IsolationChoice | None = None
    """``process``: turns run in a process of the session's own; ``shared`` lets a topic out of its chat's word."""

    @field_validator("agent", "model")
    @classmethod
    def _some_name(cls, name: str | None) -> str | None:
        if name is not None and not name.strip():
            raise PydanticCustomError("blank", "is blank; name one, or leave the line out")
        return name


class ChatWithTopics(ChatRule):
    """A chat with its topics."""

    topics: Mapping[_Topic, ChatRule] = Field(default_factory=dict[int, ChatRule], max_length=_MOST_CHATS)
    """By the number that ``/whoami`` names."""


class ChatRules(BaseModel):
    """The whole file."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    chats: Mapping[_Chat, ChatWithTopics] = Field(default_factory=dict[int, ChatWithTopics], max_length=_MOST_CHATS)
    roles: RoleRules = RoleRules()

    @model_validator(mode="after")
    def _groups_alone_mention(self) -> "ChatRules":
        for chat, rule in self.chats.items():
            if chat > 0 and any(one.mention is not None for one in (rule, *rule.topics.values())):
                said = "is a private chat, where each message is for the bot; `mention` is for groups"
                raise PydanticCustomError("private", "chats.{chat}: {said}", {"chat": chat, "said": said})
        return self

    @field_validator("chats", "roles", mode="before")
    @classmethod
    def _none_yet(cls, said: object) -> object:
        return {} if said is None else said

    def of(self, session: SessionKey, was: int | None = None) -> ChatRule:
        """What holds in a session: its topic's word, else its chat's; ``was``: the group that it was."""
        chat = self.chats.get(session.chat)
        if chat is None and was is not None:
            chat = self.chats.get(was)
        if chat is None:
            return _NO_RULE
        topic = chat.topics.get(session.topic) if session.topic is not None else None
        return chat if topic is None else chat.model_copy(update=topic.model_dump(exclude_none=True))

    def every(self) -> Sequence[tuple[str, ChatRule]]:
        """All rules, each with where it stands."""
        found: list[tuple[str, ChatRule]] = []
        for chat, rule in self.chats.items():
            found.append((f"chats.{chat}", rule))
            found += [(f"chats.{chat}.topics.{topic}", one) for topic, one in rule.topics.items()]
        return found


_NO_RULE = ChatRule()


def read(path: Path) -> ChatRules:
    """Read the file; one that is missing has no rules.

    Raises:
        BadFile: it cannot be used: where, what, what to do.
    """
    if not os.path.lexists(path):
        return ChatRules()
    try:
        return ChatRules.model_validate(read_mapping(path, once=True))
    except ValidationError as problem:
        error = problem.errors(include_url=False, include_context=False)[0]
        # Of a mapping's bad key pydantic says so behind the key.
        place = [part for part in error["loc"] if part != "[key]"]
        named = ".".join(map(str, place))
        what = {
            "extra_forbidden": f"{named}: there is no such key",
            "invalid_key": f"{named}: there is no such key",
            "int_type": f"{named}: is no number of a chat or a topic",
            "literal_error": f"{named}: must be {_choices(place)}",
            "int_parsing": f"{named}: is no number of a chat or a topic",
            "string_type": f"{named}: is no text",
            "bool_type": f"{named}: must be true or false",
            "model_type": f"{named}: is no mapping",
            "mapping_type": f"{named}: is no mapping",
            "dict_type": f"{named}: is no mapping",
            "finite_number": f"{named}: is no number of a chat or a topic",
            "int_from_float": f"{named}: is no number of a chat or a topic",
            "too_long": f"{named}: holds too many lines",
        }.get(error["type"], f"{named}: {error['msg']}" if named else error["msg"])
        raise BadFile(
            path, line_of(path, *place), what, _remedy(error["type"], str(place[-1]) if place else "")
        ) from None


def _choices(place: Sequence[int | str]) -> str:
    """What may stand at a place that takes one word of a few."""
    if place[-1:] == ["isolation"] and place[:1] == ["chats"]:
        return "shared or process"
    if place[:1] != ["roles"]:
        return "mention, always or never"
    return "member or guest" if place[1:] == ["everyone"] else f"{', '.join(ROLES[:-1])} or {ROLES[-1]}"


def _remedy(kind: str, word: str) -> str:
    keys = [*ChatWithTopics.model_fields, *ChatRules.model_fields, *RoleRules.model_fields]
    if kind in ("extra_forbidden", "invalid_key") and (near := difflib.get_close_matches(word, keys, n=1)):
        return f"did you mean `{near[0]}`?"
    return "see COHORT_CHATS in docs/people.md"


class ChatRulesFile:
    """The rules that hold now. A changed file is read; one that cannot be used is told once, and the old rules stay.

    They stay as well where the file is gone. An editor or a mount may take it away for a moment, and no role may do
    more meanwhile.
    """

    def __init__(self, path: Path, home: Path | None = None) -> None:
        """Read the file. Where it cannot be used, the rules hold that it said last, if the state directory has them.

        Args:
            path: The file.
            home: The state directory.

        Raises:
            BadFile: it cannot be used, and nothing is kept of it.
        """
        self._path, self.home = path, home
        self._copy = None if home is None else KeptFile(home, path)
        self._was_there = self._started = False
        self.moved: Mapping[int, int] = {}
        """Supergroups, each with the group that it was, as far as rules name it by that."""
        self._file = Watched(self._read, (path,), refused=_tell_refused, changed=_tell_changed)

    def _read(self) -> ChatRules:
        there = stamp_of(self._path) is not None
        if self._was_there and not there:
            raise BadFile(self._path, None, "it is gone", "an empty file takes the rules away")
        self._was_there = there
        try:
            rules = read(self._path)
        except BadFile as problem:
            rules = self._kept(problem)
        else:
            if self._copy is not None and there:
                self._copy.keep()
        self._started = True
        return rules

    def _kept(self, problem: BadFile) -> ChatRules:
        """At a start: the rules that the file said last.

        Raises:
            BadFile: the problem, where these are not known, or hold already.
        """
        kept = self._copy.found() if self._copy is not None and not self._started else None
        if kept is None:
            raise problem
        try:
            rules = read(kept)
        except BadFile:
            raise problem from None
        _tell_refused(str(problem))
        return rules

    @property
    def now(self) -> ChatRules:
        """All rules."""
        return self._file.now

    @property
    def name_groups(self) -> bool:
        """Whether rules name groups, which may become supergroups."""
        return any(chat < 0 for chat in self.now.chats)

    def of(self, session: SessionKey) -> ChatRule:
        """What holds in a session."""
        return self.now.of(session, self.moved.get(session.chat))

    def roles(self) -> RoleRules:
        """What each role may use."""
        return self.now.roles

    def look(self) -> bool:
        """Read the file again if it has changed. Returns whether other rules hold now."""
        return self._file.look()

    async def next_look(self) -> None:
        """Wait until it is time, and look."""
        await self._file.next_look()


def _tell_refused(problem: str) -> None:
    log.error("chats.refused", extra={"problem": problem})


def _tell_changed(rules: ChatRules) -> None:
    log.info("chats.read", extra={"chats": len(rules.chats)})
