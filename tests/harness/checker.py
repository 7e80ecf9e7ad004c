"""Holds a history against the guarantees of docs/architecture.md (pure): what is broken, and what may be counted.

It knows nothing of how the product works inside, only what the guarantees say: accepted means answered once, in order,
by one turn at a time, with the session's own history only, and nothing stays behind.
"""

from collections import Counter
from collections.abc import Sequence
from itertools import pairwise

from tasks.phrases import phrase
from tests.harness import legal
from tests.harness.files import check_albums, check_files, check_seen, is_unsent
from tests.harness.given_up import check_given_up
from tests.harness.heard import check_heard, without_heard
from tests.harness.history import (
    Bubble,
    Call,
    Committed,
    Delivery,
    History,
    Rule,
    Said,
    Violation,
    by_session,
    norm,
    words_in,
)
from tests.harness.shrinking import shrink
from tests.harness.steps import check_steps
from tests.harness.stops import apart, check_stops
from tests.harness.turns import Answered, Exchange, apologised, doubles, first_of, said_before
from tests.harness.verdict import Verdict
from workers import texts as ours

TOLD_DEAD = (phrase("poison"), phrase("defect"), phrase("damaged"))
TOLD_OUTAGE = (phrase("outage"), phrase("fault-slow"), phrase("fault-empty"))
NO_ANSWERS = frozenset({ours.chosen({"queue": "steer"}), phrase("own-full")})
"""What a person reads who chose something, or whose chat waits for a process of its own; it answers no message."""


def check(history: History) -> Verdict:
    """All of it. Sessions in which a turn was stopped have rules of their own."""
    others, stopped = apart(history)
    checked = _Check(without_heard(others))
    verdict = checked.run()
    verdict.heard, verdict.unheard = check_heard(others, checked.broken)
    verdict.stopped = check_stops(stopped, _Check(stopped, verdict).broken)
    return verdict


def _counted(history: History) -> Verdict:
    customers = sum(":b" in one.session for one in history.said)
    return Verdict(messages=len(history.said), dead=len(history.dead), customers=customers)


class _Check:
    def __init__(self, history: History, verdict: Verdict | None = None) -> None:
        self.history = history
        self.verdict = verdict or _counted(history)
        self.said = by_session(history.said)
        self.home = {one.word: one.session for one in history.said}
        self.word_of = {one.update_id: one.word for one in history.said}
        self.answered = Answered(history.said)
        self.calls: dict[str, list[Call]] = {}
        self.replies: dict[str, set[str]] = {}
        self.sent: dict[int, list[Delivery]] = {}
        for sent in history.deliveries:
            self.sent.setdefault(sent.chat, []).append(sent)

    def run(self) -> Verdict:
        self._calls()
        self.verdict.steps = check_steps(self.history, self.home, self.broken)
        self.verdict.files = check_files(self.history, self.home, self.broken)
        self.verdict.seen = check_seen(self.history, self.home, self.broken)
        self.verdict.albums = check_albums(self.history, self.broken)
        check_given_up(self.history, self.broken)
        committed, accepted = by_session(self.history.committed), by_session(self.history.accepted)
        bubbles, dead = by_session(self.history.bubbles), by_session(self.history.dead)
        for session, said in self.said.items():
            commits = committed.get(session, [])
            self._accepted(session, said, [one.update_id for one in accepted.get(session, ())])
            self._commits(session, said, commits)
            self._memory(session, said, commits)
            gone = {one.update_id for one in dead.get(session, ())}
            self._answers(session, said, commits, bubbles.get(session, []), gone)
        for session, strange in committed.items():
            if session not in self.said:
                self.broken("invented", session, f"{len(strange)} commits in a session without a message")
        for session in bubbles.keys() - self.said.keys():
            self._foreign(session, bubbles[session])
        for sentence in self.history.left:
            self.broken("left", "-", sentence)
        return self.verdict

    def broken(self, rule: Rule, session: str, what: str, words: Sequence[str] = ()) -> None:
        shown = shrink(self.history, session, words) if words else ()
        self.verdict.violations.append(Violation(rule, session, what, shown))

    # -- what the model saw

    def _calls(self) -> None:
        for call in self.history.calls:
            asked = call.asked
            texts = (*(message.text for message in call.spoken), *call.heard)
            homes = {self.home.get(word) for text in texts for word in words_in(text)}
            if not asked or not homes:
                continue
            session = self.home.get(asked[0]) or "-"
            self.calls.setdefault(session, []).append(call)
            if call.reply:
                self.replies.setdefault(session, set()).add(norm(call.reply))
            if homes != {session}:
                others = sorted(str(home) for home in homes if home != session)
                self.broken("foreign", session, f"model call {call.number} saw words of {', '.join(others)}", asked)
            roles = [message.role for message in call.spoken]
            if roles != ["user", "assistant"] * (len(roles) // 2) + ["user"]:
                told = "".join(role[0] for role in roles)
                self.broken("alternation", session, f"model call {call.number} saw the roles {told}", asked)

    def _memory(self, session: str, said: Sequence[Said], commits: Sequence[Committed]) -> None:
        """Every call of a session saw exactly the exchanges that were answered before it."""
        place = {one.word: number for number, one in enumerate(said)}
        exchanges: list[Exchange] = []
        for commit in commits:
            text = norm(" ".join(commit.texts))
            if text in self.replies.get(session, ()):
                exchanges.append((self._words(commit), text))
        for call in self.calls.get(session, ()):
            if any(word not in place for word in call.asked):
                continue  # foreign, and told so
            first = min(place[word] for word in call.asked)
            wanted = said_before(exchanges, place, first)
            seen = [
                (words_in(asked.text), norm(told.text))
                for asked, told in zip(call.spoken[:-1:2], call.spoken[1::2], strict=False)
            ]
            # Of an edit that waited with its message, that message's place counts; of several edits any of theirs may.
            begins = {min(place[word] for word in words) for words in self.answered.origins(call.asked)}
            if seen != wanted and seen not in (said_before(exchanges, place, begin) for begin in begins):
                lost = [",".join(words) for words, text in wanted if (words, text) not in seen]
                more = [",".join(words) for words, text in seen if (words, text) not in wanted]
                what = f"model call {call.number} does not see {lost or 'the right order'}, but sees {more}"
                self.broken("memory", session, what, call.asked)

    # -- what the store took

    def _words(self, commit: Committed) -> tuple[str, ...]:
        return self.answered.words(commit)

    def _accepted(self, session: str, said: Sequence[Said], accepted: Sequence[int]) -> None:
        accepted = [number for number in accepted if number not in self.history.unchanged]
        times = Counter(accepted)
        for one in said:
            if times[one.update_id] != 1:
                what = f"{one.word} was taken in {times[one.update_id]} times"
                self.broken("accepted", session, what, [one.word])
        wanted = [one.update_id for one in said if times[one.update_id] == 1]
        if [number for number in accepted if times[number] == 1] != wanted:
            self.broken("order", session, "messages were taken in otherwise than they were said")

    def _commits(self, session: str, said: Sequence[Said], commits: Sequence[Committed]) -> None:
        # An answer goes with the turn that asked, before messages that came in between.
        place = {one.update_id: number for number, one in enumerate(said) if not one.answers}
        times = Counter(number for commit in commits for number in commit.answers)
        for number, count in times.items():
            if count > 1 and number in self.word_of:
                what = f"{self.word_of[number]} was answered by {count} commits"
                self.broken("doubled", session, what, [self.word_of[number]])
        order = [place[number] for commit in commits for number in commit.answers if number in place]
        if order != sorted(order):
            self.broken("order", session, "commits stand in another order than the messages they answer")
        runs: list[tuple[Committed, list[Call]]] = []
        for commit in commits:
            text, words = norm(" ".join(commit.texts)), self._words(commit)
            self.verdict.turns += 1
            if not words or any(known in text for known in (*TOLD_DEAD, *TOLD_OUTAGE)):
                continue
            candidates = [
                call for call in self.calls.get(session, ()) if call.asked == words and norm(call.reply) == text
            ]
            if not candidates:
                self.broken("invented", session, f"no model call gave the reply to {','.join(words)}", words)
                continue
            runs.append((commit, candidates))
        # A call that asks for tools is a step; ``check_steps`` counts those.
        self.verdict.wasted_calls += sum(not call.asks for call in self.calls.get(session, ())) - len(runs)
        self._one_turn(session, runs)

    def _one_turn(self, session: str, runs: Sequence[tuple[Committed, list[Call]]]) -> None:
        """Two turns at the same time are legal only if one of them came to nothing."""
        for (earlier, first), (later, second) in pairwise(runs):
            if all(a.at < b.until and b.at < a.until for a in first for b in second):
                words = [*self._words(earlier), *self._words(later)]
                what = f"two turns ran at the same time, and both were committed: {', '.join(words)}"
                self.broken("one turn", session, what, words)

    # -- what stands in the chat

    def _answers(
        self,
        session: str,
        said: Sequence[Said],
        commits: Sequence[Committed],
        bubbles: Sequence[Bubble],
        dead: set[int],
    ) -> None:
        replies = {norm(" ".join(commit.texts)) for commit in commits} & self.replies.get(session, set())
        whole = [bubble for bubble in bubbles if norm(bubble.text) in replies]
        told = [bubble for bubble in bubbles if any(text in bubble.text for text in TOLD_DEAD)]
        sorry = [bubble for bubble in bubbles if any(text in bubble.text for text in TOLD_OUTAGE)]
        self.verdict.apologies += len(sorry)
        for bubble in bubbles:
            if self._is_no_answer(bubble):
                continue
            if bubble not in whole and bubble not in told and bubble not in sorry:
                self._judge_beginning(session, bubble)
        self._foreign(session, bubbles)
        holders: dict[str, list[Bubble]] = {}
        given = {norm(" ".join(commit.texts)): self._words(commit) for commit in commits}
        replaced = self.answered.replaced(commits)
        self.verdict.joined += sum(
            len(set(words) - set(words_in(text))) for text, words in given.items() if text in replies
        )
        self.verdict.edits += sum(bool(one.edits) for one in said)
        for bubble in whole:
            for word in dict.fromkeys((*words_in(bubble.text), *given.get(norm(bubble.text), ()))):
                holders.setdefault(word, []).append(bubble)
        answered_dead = {number for commit in commits for number in commit.answers} & dead
        if len(dead) > 0 and not told:
            self.broken("answered", session, f"{len(dead)} messages are dead and no user was told", self._named(dead))
        for number in answered_dead & {one.update_id for one in said if one.word in holders}:
            self.broken("answered", session, f"{self.word_of[number]} is dead and answered", [self.word_of[number]])
        for place, one in enumerate(said):
            # An edit that waited goes to the dead letters with its message, an edit of that edit, too.
            # The parts of an album do, too.
            lost = replaced.get(one.edits) == one.word and first_of(one, said) in self._named(dead)
            lost = lost or any(one.album and one.album == other.album and other.update_id in dead for other in said)
            done = one.word in holders or one.word in replaced or one.update_id in dead or lost
            if not done and not apologised(place, said, holders, sorry):
                self.broken("answered", session, f"{one.word} was never answered", [one.word])
        for twice in doubles(whole):
            self._judge_double(session, twice)
        self._order(session, said, bubbles, replies)

    def _foreign(self, session: str, bubbles: Sequence[Bubble]) -> None:
        for bubble in bubbles:
            strange = [word for word in words_in(bubble.text) if self.home.get(word) != session]
            if strange:
                self.broken("foreign", session, f"message #{bubble.message_id} holds {strange}", strange)

    def _is_no_answer(self, bubble: Bubble) -> bool:
        asks = (bubble.chat, bubble.message_id) in self.history.questions
        return asks or bubble.text in NO_ANSWERS or bool(bubble.file) or is_unsent(bubble)

    def _named(self, numbers: set[int]) -> list[str]:
        return [self.word_of[number] for number in numbers if number in self.word_of]

    def _judge_double(self, session: str, twice: Sequence[Bubble]) -> None:
        """Legal when it is one reply, and something parted its worker from Redis while it was being delivered."""
        words = words_in(twice[0].text)
        if len({norm(bubble.text) for bubble in twice}) > 1:
            self.broken("doubled", session, f"{words[0]} has {len(twice)} different answers", words)
            return
        text = norm(twice[0].text)
        sendings = [sent for sent in self._sent_to(twice) if norm(sent.text) == text]
        excuse = legal.reason(self.history.faults, sendings[0].at, sendings[-1].at)
        lost = any(not sent.heard for sent in sendings)
        if not excuse and not lost:
            self.broken("doubled", session, f"{words[0]} was delivered {len(twice)} times for no reason", words)
            return
        self.verdict.doubled[legal.LOST if lost else excuse] += len(twice) - 1

    def _judge_beginning(self, session: str, bubble: Bubble) -> None:
        """A growing answer's first text, whose worker was cut off before it could store the message's id."""
        self.verdict.partials += 1
        sendings = [sent for sent in self._sent_to([bubble]) if sent.message_id == bubble.message_id]
        words = words_in(bubble.text)
        heard = sendings and all(sent.heard for sent in sendings)
        if heard and not legal.reason(self.history.faults, sendings[0].at, sendings[-1].at + legal.LINGER):
            what = f"message #{bubble.message_id} is a beginning, left for no reason: {norm(bubble.text)[:60]!r}"
            self.broken("left", session, what, words)

    def _order(self, session: str, said: Sequence[Said], bubbles: Sequence[Bubble], replies: set[str]) -> None:
        """Answers came whole in the order in which the messages were said; one that was edited away came to nothing."""
        mine = {bubble.message_id: norm(bubble.text) for bubble in bubbles}
        first: dict[str, int] = {}
        for sent in self._sent_to(bubbles):
            text = norm(sent.text)
            if text in replies and mine.get(sent.message_id) == text:
                for word in words_in(sent.text):
                    first.setdefault(word, sent.seq)
        seqs = [(first[one.word], one.word) for one in said if one.word in first and not one.answers]
        for (earlier, before), (later, after) in pairwise(seqs):
            if later < earlier:
                what = f"{after} was answered before {before}"
                self.broken("order", session, what, [before, after])

    def _sent_to(self, bubbles: Sequence[Bubble]) -> list[Delivery]:
        return [sent for chat in {bubble.chat for bubble in bubbles} for sent in self.sent.get(chat, ())]
