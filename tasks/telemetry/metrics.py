"""Prometheus metrics: what each process counts. No label has the name of a chat, a person or a message."""

from collections.abc import Callable
from functools import lru_cache

from prometheus_client import Counter, Gauge, Histogram

UPDATES = Counter("cohort_updates_total", "Updates taken in, by verdict (accepted, seen, full).", ["verdict"])
TURNS = Counter(
    "cohort_turns_total", "Turns ended: answered, failed, buried, refused, set_aside or parked.", ["outcome"]
)
TURN_SECONDS = Histogram(
    "cohort_turn_seconds",
    "From a turn's begin to its commit, by outcome (as cohort_turns_total).",
    ["outcome"],
    buckets=(0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 600),
)
WAIT_SECONDS = Histogram(
    "cohort_wait_seconds",
    "From a message's acceptance to the begin of its turn.",
    buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 5, 30, 300),
)
TOKENS = Counter("cohort_tokens_total", "Tokens used, by model and direction (input, output).", ["model", "direction"])
HEARD_SECONDS = Counter(
    "cohort_heard_seconds_total", "Seconds of recordings that were written down, by model.", ["model"]
)
SPOKEN_CHARACTERS = Counter(
    "cohort_spoken_characters_total", "Characters that were given to be spoken, by model.", ["model"]
)
STEPS = Counter(
    "cohort_steps_total",
    "Steps of turns, by kind (model, tool) and how they came about (live, replayed, in_doubt).",
    ["kind", "how"],
)
DIVERGED = Counter("cohort_steps_diverged_total", "Kept steps that fitted nothing when their turn ran again.")
DEAD = Counter("cohort_dead_total", "Messages given up on.")
BROKEN_DOORBELLS = Counter("cohort_doorbells_broken_total", "Messages in the queues that could not be read, dropped.")
_LATENCY = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60)
ACCEPT_SECONDS = Histogram("cohort_accept_seconds", "Storing a batch of updates.", buckets=_LATENCY)
DOORBELL_SECONDS = Histogram(
    "cohort_doorbell_seconds", "From a message's acceptance to its session's claim by a worker.", buckets=_LATENCY
)
FIRST_TEXT_BOUNDS = (0.05, 0.1, 0.2, 0.3, 0.5, 0.75, 1, 1.5, 2, 3, 5, 7.5, 10, 15, 20, 30, 60)
FIRST_TEXT_SECONDS = Histogram(
    "cohort_first_text_seconds", "From a turn's begin to the model's first text.", buckets=FIRST_TEXT_BOUNDS
)
LOOP_LAG_SECONDS = Histogram(
    "cohort_loop_lag_seconds", "How late the event loop is, measured twice a second.", buckets=_LATENCY
)
MODEL_ERRORS = Counter(
    "cohort_model_errors_total", "Turns' faults at a model, by class of fault and provider.", ["fault", "provider"]
)
CLAIMS_LOST = Counter("cohort_claims_lost_total", "Sessions that another worker took over while this one worked.")
PERHAPS_DOUBLED = Counter("cohort_perhaps_doubled_total", "Messages that may have been shown twice.")
SENDS = Counter("cohort_sends_total", "Calls to Telegram in a chat, by class (final, queued, frame, ...).", ["kind"])
SPANS = Counter("cohort_spans_total", "Spans of traces, by what became of them (ended, sent, lost).", ["outcome"])
FLOODS = Counter("cohort_telegram_floods_total", "Calls that Telegram refused with 429.")
BOT_UPDATES = Counter("cohort_bot_updates_total", "Updates taken in, by bot and verdict.", ["bot", "verdict"])
BOT_TURNS = Counter("cohort_bot_turns_total", "Turns ended, by bot and outcome.", ["bot", "outcome"])
BOT_SENDS = Counter("cohort_bot_sends_total", "Calls to Telegram in a chat, by bot.", ["bot"])
TOKENS_REFUSED = Counter("cohort_bot_token_refused_total", "Answers that a revoked token holds up, by bot.", ["bot"])
BOT_FLOODS = Counter("cohort_bot_floods_total", "Calls that Telegram refused with 429, by bot.", ["bot"])
AWAKE = Gauge("cohort_sessions_awake", "Sessions with a turn loop in this worker.")
AT_WORK = Gauge("cohort_turns_running", "Turns running in this worker.")
PARKED = Gauge("cohort_turns_parked", "Turns of this worker's slots that wait for a person.")
SERVERS_DOWN = Gauge("cohort_mcp_servers_down", "Shared MCP servers that this worker cannot reach.")
SLOTS = Gauge("cohort_slots_served", "Slots this worker serves.")

LANES = Gauge("cohort_lanes", "Turns that this worker can run at a time.")
LANES_BUSY = Gauge("cohort_lanes_busy", "Lanes with a turn.")
QUEUED = Gauge("cohort_turns_queued", "Turns that wait for a lane in this worker.")
WORK = Gauge("cohort_work", "Sessions with work in this worker's slots: running, waiting, delivering.")
SLOT_DEPTH = Gauge("cohort_slot_depth", "Sessions with work in a slot that this worker serves.", ["slot"])
SLOT_OLDEST = Gauge("cohort_slot_oldest_seconds", "Age of the oldest work in such a slot.", ["slot"])
BREAKER = Gauge("cohort_breaker_open", "1: turns do without this model; 0: it fails, and is still used.", ["model"])
LAST_POLL = Gauge("cohort_last_poll_age_seconds", "Seconds since this bot's last poll ended (webhook: last update).")
POLL_DUE = Gauge(
    "cohort_poll_due",
    "1 in the process that is to poll now; 0 in those that stand by, in webhook mode, and while the intake is paused.",
)
LEADS = Gauge("cohort_bot_leads", "1 in the process of the bot that polls, 0 in those that stand by.")

_LABELS = 50
_BOTS = 200
_seen: dict[str, set[str]] = {}


@lru_cache(maxsize=4096)
def series[M: (Counter, Histogram)](metric: M, *labels: str) -> M:
    """What a metric counts under these labels. It is remembered: the library looks it up each time, behind a lock."""
    return metric.labels(*labels)


def of_bot(counter: Counter, bot: int, *labels: str) -> None:
    """Count it for a bot, beside the series that has no bot."""
    series(counter, bounded("bot", str(bot), _BOTS), *labels).inc()


def bounded(label: str, value: str, most: int = _LABELS) -> str:
    """The value of a label whose values come from outside: of more than ``most`` the rest is ``other``."""
    seen = _seen.setdefault(label, set())
    if value in seen or len(seen) < most:
        seen.add(value)
        return value
    return "other"


def backlog(depths: dict[int, tuple[int, float]]) -> None:
    """Show what waits in this worker's slots: slot -> sessions, age of the oldest; others are not shown."""
    for gauge in (SLOT_DEPTH, SLOT_OLDEST):
        gauge.clear()
    for slot, (sessions, oldest_s) in depths.items():
        SLOT_DEPTH.labels(f"{slot:02d}").set(sessions)
        SLOT_OLDEST.labels(f"{slot:02d}").set(oldest_s)


def watch(gauge: Gauge, value: Callable[[], float]) -> None:
    """Have ``gauge`` ask when it is read."""
    gauge.set_function(value)
