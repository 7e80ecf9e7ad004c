"""Running one turn until it gives something to commit: tries, pauses between them, and what to say when it cannot."""

import asyncio
import json
import logging
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from random import random

from tasks import keys, metrics
from tasks.envelope import Button, DeadLetter, Inbound, Reply
from tasks.errors import ClaimLost, EnvelopeTooNew, Retryable, Terminal
from tasks.store.sessions import READ_AHEAD, Commit, Counts
from workers import words
from workers.claimed import Claimed
from workers.parts import Parts
from workers.ports import LiveAnswer, TurnFailed, TurnRequest, TurnResult
from workers.turn import MAX_TRIES, Failures, letter

log = logging.getLogger("cohort.turns")


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a turn came to, ready to be committed."""

    replies: tuple[Reply, ...]
    history: bytes | None = None
    set: dict[str, str] = field(default_factory=dict[str, str])
    unset: tuple[str, ...] = ()
    add: dict[str, int] = field(default_factory=dict[str, int])
    usage: dict[str, Counts] = field(default_factory=dict[str, Counts])
    dead: tuple[DeadLetter, ...] = ()

    def commit(self, drop: int) -> Commit:
        """``drop``: how many inbox entries it answers."""
        return Commit(drop, self.replies, self.history, self.set, self.unset, self.add, self.usage, self.dead)


class Attempts:
    """One turn and its tries. Between tries it waits without a lane; its user sees that work goes on."""

    def __init__(
        self,
        parts: Parts,
        claimed: Claimed,
        messages: Sequence[Inbound],
        *,
        answers: tuple[int, ...],
        retry: bool = False,
    ) -> None:
        """What is tried.

        Args:
            parts: The worker's.
            claimed: The session: its history, its choices, and a message that an earlier try already shows.
            messages: What is answered together; a single ``compact`` asks for a summary instead.
            answers: The update ids that the answer is for.
            retry: ``messages`` failed before, all of them.
        """
        self._parts = parts
        self._claimed = claimed
        self._messages = tuple(messages)
        self._answers = answers
        self._retry = retry
        last = messages[-1]
        # In groups it is not obvious which message is meant.
        here = last.session == str(claimed.session)
        # What came along from a group that became this supergroup has a number that means another message here.
        self._reply_to = last.message_id if last.chat_type != "private" and here else None

    async def outcome(self) -> Outcome:
        """Run it.

        Raises:
            ClaimLost: somebody else runs it.
            EnvelopeTooNew: a newer release has to run it.
        """
        claimed = self._claimed
        if (refusal := await self._over_budget()) is not None:
            return Outcome(self._render(refusal))
        asked = TurnRequest(
            claimed.session, self._messages, claimed.history, claimed.choice("agent"), claimed.choice("model")
        )
        screen = self._parts.delivery.live(
            claimed.session,
            reply_to=self._reply_to,
            message_id=claimed.live,
            created=claimed.note_live,
            still_ours=claimed.be_sure,
        )
        async with screen as answer:
            result = await self._until_it_ends(asked, _Watched(answer, claimed))
        claimed.live = answer.message_id
        if isinstance(result, TurnResult):
            return self._answered(result)
        if isinstance(result, TurnFailed):
            return self._failed(result)
        reason = f"failed {MAX_TRIES} times: {type(result).__name__}"
        letters = tuple(letter(message, reason, self._parts.clock.now()) for message in self._messages)
        return Outcome(self._render(words.DEFECT), dead=letters, unset=self._settled())

    async def _until_it_ends(self, asked: TurnRequest, screen: "_Watched") -> TurnResult | TurnFailed | Exception:
        failures = Failures()
        while True:
            failures = failures.next()
            try:
                return await self._once(asked, screen)
            except (ClaimLost, EnvelopeTooNew):
                raise
            except TurnFailed as problem:
                log.warning("turn.failed", extra=self._about(action=problem.action, detail=problem.detail))
                if problem.action == "operator":
                    await self._parts.alerts.raise_(problem.cause, problem.detail)
                if problem.action != "retry" or failures.exhausted:
                    return problem
                pause = failures.pause_s(problem.backoff, random())  # noqa: S311 - spreads load, guards nothing
            except Exception as defect:
                log.exception("turn.defect", extra=self._about())
                if failures.count >= MAX_TRIES:
                    return defect
                pause = failures.pause_s(0, random())  # noqa: S311 - likewise
            screen.text("")
            screen.tool("another try")
            await self._parts.sleep(pause)
            screen.tool(None)

    async def _once(self, asked: TurnRequest, screen: "_Watched") -> TurnResult:
        """One try.

        Raises:
            TurnFailed: also for what others raise for us to act on.
        """
        runtime = self._parts.runtime
        # The runtime keeps to COHORT_TURN_TIMEOUT twice: until the turn has a lane, and from then on.
        limit = asyncio.timeout(2 * self._parts.settings.turn_timeout.total_seconds())
        try:
            async with limit:
                if asked.messages[0].kind == "compact":
                    return await runtime.compact(asked)
                return await runtime.run(asked, screen)
        except TimeoutError:
            if not limit.expired():
                raise
            raise TurnFailed("tell", words.TOO_LONG, "the turn took longer than COHORT_TURN_TIMEOUT") from None
        except asyncio.CancelledError:
            task = asyncio.current_task()
            if task is None or task.cancelling():
                raise
            # A library's cancel scope that leaked: nobody wanted this turn to end.
            raise RuntimeError("cancelled by nobody") from None
        except Terminal as problem:
            raise TurnFailed("tell", str(problem), type(problem).__name__) from problem
        except Retryable as problem:
            raise TurnFailed("retry", words.OUTAGE, f"{type(problem).__name__}: {problem}") from problem

    # -- what is committed

    def _answered(self, result: TurnResult) -> Outcome:
        model = result.usage.model or "unknown"
        metrics.TOKENS.labels(model, "input").inc(result.usage.input_tokens)
        metrics.TOKENS.labels(model, "output").inc(result.usage.output_tokens)
        notes = [*result.notices, words.CUT if result.cut else ""]
        if self._claimed.history is None:
            notes.append(words.stand_in(self._parts.settings.model))
        counts = {"input_tokens": result.usage.input_tokens, "output_tokens": result.usage.output_tokens, "turns": 1}
        return Outcome(
            self._render(result.text, notes),
            result.history,
            unset=(*self._settled(), *result.dropped),
            add=counts,
            usage={name: Counts(counts) for name in self._usage_names(result.usage.model)},
        )

    def _failed(self, problem: TurnFailed) -> Outcome:
        if problem.action != "retry":
            # What an operator has to mend may be tried again when it is.
            settled = self._settled() if problem.action == "tell" else ()
            return Outcome(self._render(problem.words), unset=settled)
        if self._messages[0].kind == "compact":
            return Outcome(self._render(words.OUTAGE))
        replies = self._render(f"{words.OUTAGE} {words.PRESS_RETRY}")
        button = Button(text=words.RETRY, data=words.RETRY_DATA)
        replies = (*replies[:-1], replies[-1].model_copy(update={"buttons": ((button,),)}))
        # Each of several messages that failed in an outage was promised another try.
        earlier = [] if self._retry else self._claimed.failed()
        kept = [*earlier, *(message.to_json() for message in self._messages)]
        return Outcome(replies, set={"failed": json.dumps(kept[-READ_AHEAD:])})

    def _settled(self) -> tuple[str, ...]:
        """State fields that go when these messages have their last word."""
        return ("failed",) if self._retry else ()

    def _render(self, text: str, notes: Sequence[str] = ()) -> tuple[Reply, ...]:
        live = self._claimed.live
        rendered = self._parts.delivery.render(text, edit=live, reply_to=self._reply_to, notes=notes)
        return tuple(reply.model_copy(update={"answers": self._answers}) for reply in rendered)

    # -- what it may cost

    async def _over_budget(self) -> str | None:
        settings = self._parts.settings
        if not settings.budget_user and not settings.budget_chat:
            return None
        user, chat, _ = self._usage_names("")
        used_by_user, used_in_chat = await self._claimed.usage(user, chat)
        if settings.budget_user and used_by_user >= settings.budget_user:
            return words.over_budget("your")
        if settings.budget_chat and used_in_chat >= settings.budget_chat:
            return words.over_budget("this chat's")
        return None

    def _usage_names(self, model: str) -> tuple[str, str, str]:
        day = datetime.fromtimestamp(self._parts.clock.now(), UTC).date().isoformat()
        session, last = self._claimed.session, self._messages[-1]
        sender = last.sender.id if last.sender else session.chat
        scopes = (f"user:{sender}", f"chat:{session.chat}", f"model:{model or 'unknown'}")
        user, chat, by_model = (keys.usage(f"{session.bot}:{scope}", day) for scope in scopes)
        return user, chat, by_model

    def _about(self, **fields: str) -> dict[str, str | int]:
        return {"session": str(self._claimed.session), "epoch": self._claimed.epoch, **fields}


class _Watched:
    """The live answer, remembering what it shows: a stopped turn keeps it."""

    def __init__(self, answer: LiveAnswer, claimed: Claimed) -> None:
        self._answer = answer
        self._claimed = claimed

    def text(self, so_far: str) -> None:
        self._claimed.show(so_far)
        self._answer.text(so_far)

    def more(self, text: str) -> None:
        self._claimed.show_more(text)
        self._answer.more(text)

    def tool(self, name: str | None) -> None:
        self._answer.tool(name)
