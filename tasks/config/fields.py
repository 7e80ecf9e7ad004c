"""The fields of the settings: name, form, default, and the sentence that docs/settings.md has."""

from datetime import timedelta
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, Field, SecretStr

from tasks.config import environ as environment
from tasks.config.forms import (
    CommandNames,
    Duration,
    Hosts,
    Ids,
    LoginSetting,
    ModelReads,
    NameList,
    RedisUrl,
    Secret,
    SecretKeys,
    Token,
    Url,
    Workers,
)
from tasks.config.worker_count import WorkerCount


class SettingFields(BaseModel):
    """What an operator can set. Durations are seconds in the environment, ``timedelta`` here; sizes name their unit."""

    # -- where things are
    telegram_bot_token: Token | None = Field(None, alias="TELEGRAM_BOT_TOKEN")
    """The bot's token, from @BotFather. Without one `cohort up` starts the playground."""
    bots: Path | None = Field(None, alias="COHORT_BOTS")
    """File of the bots, if the deployment serves several (`bots.yaml`); `TELEGRAM_BOT_TOKEN` is not used then. It is
    read again when it changes."""
    bots_env: Path = Field(Path(".env"), alias="COHORT_BOTS_ENV")
    """File in which the tokens of `COHORT_BOTS` are looked up that the environment does not have."""
    bot: str | None = Field(None, alias="COHORT_BOT")
    """Which of `COHORT_BOTS` this process is; `cohort up` and `cohort bot NAME` set it."""
    telegram_base_url: Url = Field("https://api.telegram.org", alias="TELEGRAM_BASE_URL")
    """Root of the Bot API server."""
    redis_url: RedisUrl | None = Field(None, alias="REDIS_URL")
    """Redis or Valkey, 7.0 or later (rediss, sentinel, rediss+sentinel too). Without it `cohort up` runs a Valkey."""
    wait_replicas: int = Field(0, alias="COHORT_WAIT_REPLICAS", ge=0, le=16)
    """Replicas of Redis that must have a write before it counts as done. 0: a failover may lose the last writes."""
    flower_port: int = Field(5555, alias="FLOWER_PORT", ge=0, le=65535)
    """Flower's port on 127.0.0.1; 0 starts no Flower."""
    flower_hosts: Hosts = Field((), alias="COHORT_FLOWER_HOSTS")
    """Hosts by which browsers reach Flower through a proxy of yours (`name` or `name:port`), separated by commas."""
    console_port: int = Field(5556, alias="COHORT_CONSOLE_PORT", ge=0, le=65535)
    """The console's port; with 0 `cohort up` starts no console."""
    console_host: str = Field("127.0.0.1", alias="COHORT_CONSOLE_HOST")
    """Address that the console listens on. Beyond this machine only with `COHORT_CONSOLE_AUTH`."""
    console_hosts: Hosts = Field((), alias="COHORT_CONSOLE_HOSTS")
    """Hosts by which browsers reach the console through a proxy of yours, as in `COHORT_FLOWER_HOSTS`."""
    console_auth: LoginSetting | None = Field(None, alias="COHORT_CONSOLE_AUTH")
    """`user:password` (12 characters or more) for the console. Without it the console only shows."""
    console_text: bool = Field(default=False, alias="COHORT_CONSOLE_TEXT")
    """Whether the console shows what was said. It needs `COHORT_CONSOLE_AUTH`."""
    env_file: Path = Field(environment.FILE, alias=environment.NAME)
    """File with further settings, read beside the environment. It must exist if it is named here."""
    home: Path = Field(Path(".cohort"), alias="COHORT_HOME")
    """State directory: embedded Valkey's data, media cache, logs."""
    config: Path = Field(Path("fastagent.config.yaml"), alias="COHORT_CONFIG")
    """fast-agent's configuration file. Where that is missing, `fast-agent.yaml`, also in `.fast-agent`."""
    cards: Path = Field(Path("agent-cards"), alias="COHORT_CARDS")
    """Directory of AgentCards."""
    cards_reload: Literal["auto", "on", "off"] = Field("auto", alias="COHORT_CARDS_RELOAD")
    """`on`: `cohort up` has changed agent cards read as they are saved; `auto`: only beside the playground;
    `off`: never."""

    # -- how much of it
    workers: Workers = Field(WorkerCount(2, 2), alias="COHORT_WORKERS")
    """Worker processes that `cohort up` keeps alive. `auto:1..4`: by the load, between these bounds, as far as there is
    memory; `auto`: between 1 and one a core."""
    fork: Literal["auto", "off"] = Field("auto", alias="COHORT_FORK")
    """`auto`: `cohort up` forks workers from a process with their modules, if the system can; `off`: it starts them."""
    own_max: int = Field(16, alias="COHORT_OWN_MAX", ge=0, le=1000)
    """Processes of single chats (`isolation: process`) that this machine runs at most; 0: none."""
    own_idle: Duration = Field(timedelta(minutes=10), alias="COHORT_OWN_IDLE", gt=timedelta(0))
    """A chat's own process that rests for so long ends; the next message starts another one."""
    own_memory_mib: int = Field(2048, alias="COHORT_OWN_MEMORY_MIB", ge=0, le=2**20)
    """Private memory of a chat's own process, and of each program that it starts (`RLIMIT_DATA`); 0: no limit."""
    own_cpu: Duration = Field(timedelta(minutes=10), alias="COHORT_OWN_CPU", ge=timedelta(0))
    """Processor time that it may use for one turn (`RLIMIT_CPU`); 0: no limit."""
    own_files: int = Field(1024, alias="COHORT_OWN_FILES", ge=0, le=2**20)
    """Files that it, and each program that it starts, may have open (`RLIMIT_NOFILE`); 0: no limit."""
    lanes: int = Field(32, alias="COHORT_LANES", ge=1, le=1024)
    """Turns that run at the same time in one worker."""
    slots: int = Field(64, alias="COHORT_SLOTS", ge=1, le=4096)
    """Queues the sessions are spread over. Fixed for a deployment's life."""

    # -- what the agents are
    model: str | None = Field(None, alias="COHORT_MODEL")
    """Overrides the model of every card."""
    models: NameList = Field((), alias="COHORT_MODELS")
    """Models that `/model` may choose, separated by commas."""
    fallback_model: str | None = Field(None, alias="COHORT_FALLBACK_MODEL")
    """Used for a turn while the provider of the chosen model is down."""
    model_reads: ModelReads = Field({}, alias="COHORT_MODEL_READS")
    """Files that models read which fast-agent does not know: `generic.llava=image,pdf`, several with blanks between
    them. Kinds: `image`, `pdf`, `video` (MP4), `audio` (MP3 and WAV; the extra `voice` makes WAV of other
    recordings), and where the model's server takes them: `ogg` (voice messages), `m4a`, `flac`."""
    transcribe: str | None = Field(None, alias="COHORT_TRANSCRIBE")
    """Model that writes down what voice messages and recordings say, for models that do not hear: `whisper-1`."""
    transcribe_url: Url | None = Field(None, alias="COHORT_TRANSCRIBE_URL")
    """Root of its server, which has OpenAI's `/audio/transcriptions`: `http://127.0.0.1:8000/v1`. Default: OpenAI."""
    transcribe_key: SecretStr | None = Field(None, alias="COHORT_TRANSCRIBE_KEY")
    """Key for that server. Default: `OPENAI_API_KEY` for OpenAI, none for another address."""
    voice: str | None = Field(None, alias="COHORT_VOICE")
    """Model that speaks answers where a chat wants it (`/voice`), and by default after a voice message: `tts-1`."""
    voice_name: str = Field("alloy", alias="COHORT_VOICE_NAME")
    """The voice, by the name that the server knows."""
    voice_url: Url | None = Field(None, alias="COHORT_VOICE_URL")
    """Root of its server, which has OpenAI's `/audio/speech`: `http://127.0.0.1:8000/v1`. Default: OpenAI."""
    voice_key: SecretStr | None = Field(None, alias="COHORT_VOICE_KEY")
    """Key for that server. Default: `OPENAI_API_KEY` for OpenAI, none for another address."""
    agent: str | None = Field(None, alias="COHORT_AGENT")
    """The agent new sessions talk to. Default: the card marked `default: true`, else the first."""
    chats: Path = Field(Path("chats.yaml"), alias="COHORT_CHATS")
    """File of single chats and topics (their agent, model, and which messages of a group are answered) and of what
    each role may use. It may be missing, and is read again when it changes."""
    commands: CommandNames = Field((), alias="COHORT_COMMANDS")
    """Commands that agents answer themselves, without a slash, separated by commas; Telegram's menu has them too."""
    shell: bool = Field(default=False, alias="COHORT_SHELL")
    """Whether cards with `shell: true` get their shell: who may talk to such an agent runs programs as the worker."""
    patches: Literal["all", "needed"] = Field("all", alias="COHORT_PATCHES")
    """Which replacements of other libraries' parts are used: all, or only those for safety and correctness."""
    runtime_tools: bool = Field(default=False, alias="COHORT_RUNTIME_TOOLS")
    """Whether cards with `harness_tools: true` get them: a chat may connect MCP servers, for one turn of its own."""
    turn_timeout: Duration = Field(timedelta(minutes=10), alias="COHORT_TURN_TIMEOUT", gt=timedelta(0))
    """A turn that takes longer is ended and its user told. Time spent waiting for a lane is not counted."""
    inline_timeout: Duration = Field(timedelta(minutes=1), alias="COHORT_INLINE_TIMEOUT", gt=timedelta(0))
    """The same for answers in chats of other people (`COHORT_INLINE`, `COHORT_GUESTS`); what was said by then stays."""
    tool_timeout: Duration = Field(timedelta(minutes=2), alias="COHORT_TOOL_TIMEOUT", gt=timedelta(0))
    """A tool call that takes longer is ended; the agent is told."""
    answer_max: int = Field(200_000, alias="COHORT_ANSWER_MAX", ge=1000)
    """Characters that a model may write in one turn; a longer answer is cut there, and its user told."""
    history_messages: int = Field(100, alias="COHORT_HISTORY_MESSAGES", ge=2, le=2000)
    """Messages of a session's history that a turn loads; older ones are summarised."""
    sessions_kept: int = Field(10, alias="COHORT_SESSIONS_KEPT", ge=0, le=100)
    """Earlier conversations that a chat keeps after `/new`, to go on with by `/sessions`. 0: none.
    Together they take 4 MiB; the last one is kept whatever its size."""
    budget_user: int = Field(0, alias="COHORT_BUDGET_USER", ge=0)
    """Tokens a user may use a day (UTC); 0 is no limit."""
    budget_chat: int = Field(0, alias="COHORT_BUDGET_CHAT", ge=0)
    """Tokens a chat may use a day (UTC); 0 is no limit."""

    # -- who may talk, and how messages are taken
    access: Literal["pairing", "allowlist", "open"] | None = Field(None, alias="COHORT_ACCESS")
    """How people get in: by a code (`cohort pair`) or an admin's word, by that alone, or all of them. Default: `open`
    in the playground; with a real token `allowlist` where `COHORT_ALLOW` or `COHORT_ADMINS` is set, else `pairing`."""
    allow: Ids = Field((), alias="COHORT_ALLOW")
    """User and chat ids that are let in, separated by commas; no admin can keep them out."""
    admins: Ids = Field((), alias="COHORT_ADMINS")
    """User ids with the role of an admin, separated by commas: operator alerts are sent to them, they let people in
    (`/allow`, `/deny`, `/people`), and they may answer questions in every chat, as owners and admins by role do."""
    rate: int = Field(0, alias="COHORT_RATE", ge=0, le=1000)
    """Messages a minute that one person may send; further ones are not taken, which is said once. 0 is no limit."""
    group_control: Literal["everyone", "admins", "asker"] = Field("everyone", alias="COHORT_GROUP_CONTROL")
    """Who may use `/new`, `/resume`, `/undo`, `/compact`, `/model`, `/agent` and buttons in a group: everyone, but
    those of a picker or a list (`/sessions`, `/memory`, `/reminders`) who opened it, and admins; the group's admins
    (the buttons Stop, Retry and Undo also the person who asked); or buttons only the person who asked, commands
    everyone."""
    group_context: int = Field(20, alias="COHORT_GROUP_CONTEXT", ge=0, le=100)
    """Messages of a group, not meant for the agent, that the next message to it takes along, where Telegram shows them
    to the bot (privacy mode off, or the bot is an admin); 0 takes none."""
    business: bool = Field(default=False, alias="COHORT_BUSINESS")
    """Whether the customers of business accounts that the bot is connected to are answered, in the account's name."""
    channels: bool = Field(default=False, alias="COHORT_CHANNELS")
    """Whether posts that name the bot are answered in channels that are let in, and where the bot is an admin."""
    inline: bool = Field(default=False, alias="COHORT_INLINE")
    """Whether questions in any chat (`@bot question`) are answered in the message that a person sends so; BotFather's
    /setinline has to be set, and /setinlinefeedback (100%) for answers that come without a press of a button."""
    guests: bool = Field(default=False, alias="COHORT_GUESTS")
    """Whether people who are let in may call the bot in chats where it is no member (guest mode of BotFather)."""
    topic_titles: bool = Field(default=False, alias="COHORT_TOPIC_TITLES")
    """Whether a topic that Telegram named itself gets a title of a model's after its first answer (one more model
    call); `titles` in `COHORT_CHATS` says so for one chat. In a forum the bot needs the right to manage topics."""
    title_model: str | None = Field(None, alias="COHORT_TITLE_MODEL")
    """Model for these titles, a small one. Default: the agent's."""
    queue_mode: Literal["collect", "followup", "interrupt", "steer"] = Field("collect", alias="COHORT_QUEUE_MODE")
    """What happens to messages sent while a turn runs; a chat may choose otherwise (`/queue`)."""
    burst: Duration = Field(timedelta(seconds=0.8), alias="COHORT_BURST", ge=timedelta(0), le=timedelta(seconds=5))
    """Quiet time that ends a burst (several forwards, a text that a client split, a text and what it announces), which
    is answered as one; a message that begins no burst does not wait. 0: none does."""
    ask_ttl: Duration = Field(timedelta(hours=24), alias="COHORT_ASK_TTL", gt=timedelta(0))
    """A question to a person that is not answered for so long ends its turn."""
    ask_in_groups: Literal["author", "anyone"] = Field("author", alias="COHORT_ASK_IN_GROUPS")
    """Who may answer a turn's question in a group: the authors of its messages, or anyone. Operators always may."""
    approve: Literal["destructive", "listed"] | None = Field(None, alias="COHORT_APPROVE")
    """Tools that a person has to allow: those with `approve` (`listed`), or also shells and those that call themselves
    `destructive`. Default: `listed` in the playground, `destructive` with a real token."""
    inbox_cap: int = Field(2000, alias="COHORT_INBOX_CAP", ge=1)
    """Waiting messages a session may have; further ones are refused with a word to the user."""
    stream: Literal["edit", "draft", "off"] = Field("edit", alias="COHORT_STREAM")
    """How an answer grows on the screen."""
    steps: Literal["live", "fold", "keep"] = Field("live", alias="COHORT_STEPS")
    """What stays of the steps that show while a turn runs: nothing, one line, or all of them in a quote that opens."""
    thinking: Literal["hide", "fold", "show"] = Field("hide", alias="COHORT_THINKING")
    """What is shown of what a model thinks before it answers: nothing, a quote that opens, or a quote."""
    file_after: int = Field(4, alias="COHORT_FILE_AFTER", ge=1, le=20)
    """Messages that an answer may take. Of a longer one these are the beginning, and a file has the whole."""
    picture_links: Literal["on", "off"] = Field("on", alias="COHORT_PICTURE_LINKS")
    """Whether pictures that an answer shows by public https addresses are sent as photos. Telegram fetches them."""
    rich: Literal["on", "off"] = Field("off", alias="COHORT_RICH")
    """Whether answers with tables, headings, lists or formulas are sent as rich messages (Bot API 10.2). Apps that do
    not know these yet show a line that asks for an update instead."""
    send_rate: int = Field(30, alias="COHORT_SEND_RATE", ge=1, le=1000)
    """Messages a second the bot may send in all: Telegram allows 30, or 1000 with paid broadcasts."""
    media_max_mib: int = Field(20, alias="COHORT_MEDIA_MAX_MIB", ge=1)
    """Largest file taken from a chat (a cloud Bot API server hands out 20 MiB at most)."""
    media_cache_mib: int = Field(512, alias="COHORT_MEDIA_CACHE_MIB", ge=1)
    """Disk that fetched files may take in the state directory."""
    keep_days: int = Field(0, alias="COHORT_KEEP_DAYS", ge=0, le=36500)
    """Days without a turn after which a session is erased: history, choices, notes, files. 0 keeps all."""
    webhook_url: Url | None = Field(None, alias="COHORT_WEBHOOK_URL")
    """Public https address for updates; without one the bot polls."""
    webhook_secret: Secret | None = Field(None, alias="COHORT_WEBHOOK_SECRET")
    """Required with a webhook address: 16 to 256 of `A-Z a-z 0-9 _ -`; Telegram sends it with each update."""
    webhook_host: str = Field("127.0.0.1", alias="COHORT_WEBHOOK_HOST")
    """Local address the webhook listens on; `0.0.0.0` when the proxy that ends TLS is on another machine."""
    webhook_port: int = Field(8443, alias="COHORT_WEBHOOK_PORT", ge=0, le=65535)
    """Local port the webhook listens on, and, with a `COHORT_SECRET_KEY`, a bot that polls (`/oauth/callback`)."""
    secret_key: SecretKeys | None = Field(None, alias="COHORT_SECRET_KEY")
    """Encrypts logins at MCP servers (`isolation: user`): 32 characters or more; several, with commas: newest first."""
    public_url: Url | None = Field(None, alias="COHORT_PUBLIC_URL")
    """Address by which browsers reach the bot's port (`/oauth/callback`). Without one people paste an address."""

    # -- how it runs
    heartbeat_ttl: Duration = Field(timedelta(seconds=5), alias="COHORT_HEARTBEAT_TTL", ge=timedelta(seconds=1))
    """A worker silent for this long is taken for dead; it renews five times as often."""
    sweep_interval: Duration = Field(timedelta(seconds=2), alias="COHORT_SWEEP_INTERVAL", gt=timedelta(0))
    """How often a slot's owner looks for sessions with work and without a doorbell."""
    drain_grace: Duration = Field(timedelta(seconds=25), alias="COHORT_DRAIN_GRACE", ge=timedelta(0))
    """How long running turns may go on after SIGTERM before they are handed back."""
    worker_max_rss_mib: int | None = Field(None, alias="COHORT_WORKER_MAX_RSS_MIB", ge=0)
    """A worker above this drains and is restarted; 0 never. Default: a share of what its machine or container has."""
    playground_port: int = Field(8081, alias="COHORT_PLAYGROUND_PORT", ge=0, le=65535)
    """The playground's port on 127.0.0.1."""
    playground_key: Secret | None = Field(None, alias="COHORT_PLAYGROUND_KEY")
    """Opens the playground's page and control API: 16 to 256 of `A-Z a-z 0-9 _ -`. Default: a new one each start."""
    metrics_port: int = Field(0, alias="COHORT_METRICS_PORT", ge=0, le=65535)
    """First of the ports for Prometheus metrics; each process takes the first free one. 0 serves none."""
    metrics_host: str = Field("127.0.0.1", alias="COHORT_METRICS_HOST")
    """Address on which metrics are served; `0.0.0.0` where Prometheus is on another machine or in another container."""
    traces: Literal["off", "on", "text"] = Field("off", alias="COHORT_TRACES")
    """`on`: each message is a trace, sent by OTLP (`OTEL_*` variables). `text`: with what people and models say."""
    log_level: Literal["debug", "info", "warning", "error"] = Field("info", alias="COHORT_LOG_LEVEL")
    """Least level that is logged."""
    log_format: Literal["text", "json"] = Field("text", alias="COHORT_LOG_FORMAT")
    """`text` for people, `json` for machines."""
    incarnation: str | None = Field(None, alias="COHORT_INCARNATION", pattern=r"^[a-z0-9-]{4,64}$")
    """The worker's id for this life; the supervisor sets it."""
