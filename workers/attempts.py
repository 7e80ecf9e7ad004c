"""Running one turn until it gives something to commit: tries, pauses between them, and what to say when it cannot."""

import asyncio
import json
import logging
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from random import random
from typing import TYPE_CHECKING

from tasks import keys
from tasks.envelope import Button, DeadLetter, Inbound, Reply
from tasks.errors import ClaimLost, StoreUnavailable
from tasks.store.sessions import Claim, Commit
from workers import words
from workers.outbox import Persist
from workers.ports import LiveAnswer, TurnFailed, TurnRequest, TurnResult
from workers.turn import MAX_TRIES, Failures, bury

if TYPE_CHECKING:
    from workers.turnloop import Parts

log = logging.getLogger("cohort.turns")


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a turn came to, ready to be committed."""

    replies: tuple[Reply, ...]
    history: bytes | None = None
    set: dict[str, str] = field(default_factory=dict[str, str])
    unset: tuple[str, ...] = ()
    add: dict[str, int] = field(default_factory=dict[str, int])
    usage: tuple[str, ...] = ()
    dead: tuple[DeadLetter, ...] = ()

    def commit(self, drop: int) -> Commit:
        """``drop``: how many inbox entries it answers."""
        return Commit(drop, self.replies, self.history, self.set, self.unset, self.add, self.usage, self.dead)


class Attempts:
    """One turn and its tries. Between tries it waits without a lane; its user sees that work goes on."""

    def __init__(self, parts: "Parts", claim: Claim, persist: Persist) -> None:
        self._parts = parts
        self._claim = claim
        self._persist = persist
        self.live: int | None = None
        self.shown = ""

    async def request(
        self,
        messages: Sequence[Inbound],
        *,
        history: bytes | None,
        agent: str | None,
        model: str | None,
        live: int | None,
    ) -> Outcome:
        """Run it.

        Args:
            messages: What is answered together; a single ``compact`` asks for a summary instead.
            history: As stored.
            agent: The session's choice, None for the default.
            model: Likewise.
            live: A message that an earlier try already shows.
        """
        self.live = live
        last = messages[-1]
        # In groups it is not obvious which message is meant.
        reply_to = last.message_id if last.chat_type != "private" else None
        asked = TurnRequest(self._claim.session, tuple(messages), history, agent, model)
        if (refusal := await self._over_budget(last)) is not None:
            return Outcome(self._render(refusal, messages, reply_to))
        screen = self._parts.delivery.live(
            self._claim.session, reply_to=reply_to, message_id=live, created=self._note_live
        )
        async with screen as answer:
            result = await self._until_it_ends(asked, _Watched(answer, self))
        self.live = answer.message_id
        if isinstance(result, TurnResult):
            text = "\n\n".join(part for part in (result.text, *result.notices, words.CUT if result.cut else "") if part)
            used = {"input_tokens": result.usage.input_tokens, "output_tokens": result.usage.output_tokens, "turns": 1}
            return Outcome(
                self._render(text, messages, reply_to),
                result.history,
                unset=("failed",),
                add=used,
                usage=self._usage_names(last, result.usage.model),
            )
        return self._gave_up(result, messages, reply_to)

    async def _until_it_ends(self, asked: TurnRequest, screen: "_Watched") -> TurnResult | TurnFailed | Exception:
        failures = Failures()
        while True:
            try:
                return await self._once(asked, screen)
            except (ClaimLost, StoreUnavailable):
                raise
            except TurnFailed as problem:
                log.warning("turn.failed", extra=self._about(action=problem.action, detail=problem.detail))
                if problem.action == "operator":
                    await self._parts.alerts.raise_("model", problem.detail)
                failures = failures.next()
                if problem.action != "retry" or failures.exhausted:
                    return problem
                pause = failures.pause_s(problem.backoff, random())  # noqa: S311 - spreads load, guards nothing
            except Exception as defect:
                log.exception("turn.defect", extra=self._about())
                failures = failures.next()
                if failures.count >= MAX_TRIES:
                    return defect
                pause = failures.pause_s(0, random())  # noqa: S311 - likewise
            screen.text("")
            screen.tool("another try")
            await asyncio.sleep(pause)

    async def _once(self, asked: TurnRequest, screen: "_Watched") -> TurnResult:
        runtime = self._parts.runtime
        try:
            async with asyncio.timeout(self._parts.settings.turn_timeout.total_seconds()):
                if asked.messages[0].kind == "compact":
                    return await runtime.compact(asked)
                return await runtime.run(asked, screen)
        except TimeoutError:
            raise TurnFailed("tell", words.TOO_LONG, "the turn took longer than COHORT_TURN_TIMEOUT") from None

    def _gave_up(self, problem: Exception, messages: Sequence[Inbound], reply_to: int | None) -> Outcome:
        if not isinstance(problem, TurnFailed):
            letters = tuple(
                bury(message, f"failed {MAX_TRIES} times: {type(problem).__name__}", self._parts.clock.now()).letter
                for message in messages
            )
            return Outcome(self._render(words.DEFECT, messages, reply_to), dead=letters)
        if problem.action == "retry":
            replies = self._render(words.OUTAGE, messages, reply_to)
            button = Button(text=words.RETRY, data=words.RETRY_DATA)
            replies = (*replies[:-1], replies[-1].model_copy(update={"buttons": ((button,),)}))
            kept = json.dumps([message.to_json() for message in messages])
            return Outcome(replies, set={"failed": kept})
        return Outcome(self._render(problem.words, messages, reply_to))

    def _render(self, text: str, messages: Sequence[Inbound], reply_to: int | None) -> tuple[Reply, ...]:
        answers = tuple(message.update_id for message in messages)
        rendered = self._parts.delivery.render(text, edit=self.live, reply_to=reply_to)
        return tuple(reply.model_copy(update={"answers": answers}) for reply in rendered)

    async def _note_live(self, message_id: int) -> None:
        self.live = message_id
        await self._parts.sessions.note(self._claim, "live", str(message_id))

    async def _over_budget(self, last: Inbound) -> str | None:
        settings = self._parts.settings
        if not settings.budget_user and not settings.budget_chat:
            return None
        user, chat, _ = self._usage_names(last, "")
        used_by_user, used_in_chat = await self._persist(lambda: self._parts.sessions.usage([user, chat]))
        if settings.budget_user and used_by_user >= settings.budget_user:
            return words.over_budget("your")
        if settings.budget_chat and used_in_chat >= settings.budget_chat:
            return words.over_budget("this chat's")
        return None

    def _usage_names(self, last: Inbound, model: str) -> tuple[str, str, str]:
        day = datetime.fromtimestamp(self._parts.clock.now(), UTC).date().isoformat()
        session = self._claim.session
        sender = last.sender.id if last.sender else session.chat
        scopes = (f"user:{sender}", f"chat:{session.chat}", f"model:{model or 'unknown'}")
        user, chat, by_model = (keys.usage(f"{session.bot}:{scope}", day) for scope in scopes)
        return user, chat, by_model

    def _about(self, **fields: str) -> dict[str, str | int]:
        return {"session": str(self._claim.session), "epoch": self._claim.epoch, **fields}


class _Watched:
    """The live answer, remembering what it shows: a stopped turn keeps it."""

    def __init__(self, answer: LiveAnswer, attempts: Attempts) -> None:
        self._answer = answer
        self._attempts = attempts

    def text(self, so_far: str) -> None:
        self._attempts.shown = so_far
        self._answer.text(so_far)

    def tool(self, name: str | None) -> None:
        self._answer.tool(name)
