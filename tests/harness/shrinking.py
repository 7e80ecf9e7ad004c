"""The part of a history that shows what was broken (pure)."""

from collections.abc import Iterable

from tests.harness.history import History, norm, words_in


def shrink(history: History, session: str, words: Iterable[str], *, around: int = 1) -> tuple[str, ...]:
    """The events of one session around some words, in order of time where time is known."""
    said = [one for one in history.said if one.session == session]
    wanted = set(words)
    places = [place for place, one in enumerate(said) if one.word in wanted]
    if places:
        said = said[max(min(places) - around, 0) : max(places) + around + 1]
    near = {one.word for one in said} | wanted
    ids = {one.update_id: one.word for one in said}
    begin = said[0].at if said else 0.0

    def stamp(at: float) -> str:
        return f"{at - begin:+9.2f}s"

    events: list[tuple[float, str]] = [
        (one.at, f"{stamp(one.at)} said {one.word} (update {one.update_id})") for one in said
    ]
    spans: list[float] = [one.at for one in said]
    for call in history.calls:
        if near.intersection(call.asked):
            saw = " ".join(f"{m.role[0]}:{','.join(words_in(m.text)) or '-'}" for m in call.spoken[-6:])
            end = "whole" if call.whole else "cut"
            line = f"{stamp(call.at)} model call {call.number} until {stamp(call.until)} {end}, saw …{saw}"
            events.append((call.at, line))
            spans.append(call.until)
    chats = {bubble.chat for bubble in history.bubbles if bubble.session == session}
    for sent in history.deliveries:
        if sent.chat in chats and near.intersection(words_in(sent.text)):
            verb = "edited" if sent.edit else "sent"
            lost = "" if sent.heard else ", the answer was lost"
            line = f"{stamp(sent.at)} Telegram {verb} #{sent.message_id}{lost}: {norm(sent.text)[:90]}"
            events.append((sent.at, line))
            spans.append(sent.at)
    if spans:
        events += [
            (fault.at, f"{stamp(fault.at)} FAULT {fault.kind} until {stamp(fault.until)}")
            for fault in history.faults
            if fault.at <= max(spans) + 1 and fault.until >= min(spans) - 1 and fault.chat in (None, *chats)
        ]
    shown = [line for _, line in sorted(events)]
    log: list[tuple[int, str]] = [
        (one.place, f"  log {one.place} accepted {one.update_id} ({ids[one.update_id]})")
        for one in history.accepted
        if one.update_id in ids
    ]
    log += [
        (one.place, f"  log {one.place} commit {one.ident} answers {one.answers}: {norm(' | '.join(one.texts))[:90]}")
        for one in history.committed
        if one.session == session and set(one.answers) & set(ids)
    ]
    shown += [line for _, line in sorted(log)]
    shown += [
        f"  at the end #{bubble.message_id}: {norm(bubble.text)[:110]}"
        for bubble in history.bubbles
        if bubble.session == session and (near.intersection(words_in(bubble.text)) or not words_in(bubble.text))
    ]
    return tuple(shown)
