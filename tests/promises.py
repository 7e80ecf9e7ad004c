"""Everything that Cohort promises: id -> sentence. Each has a test marked with its id (tests/test_promises.py)."""

PROMISES = {
    # -- accepted means answered
    "accepted-once": "An update that Telegram gives again is accepted once.",
    "stored-then-confirmed": "An update is confirmed to Telegram only after it is stored.",
    "answered": "A message gets its answer.",
    "bot-killed": "A bot that is killed in the middle of batches loses nothing and doubles nothing.",
    "worker-killed": "A worker that is killed in the middle of a turn loses nothing and doubles nothing.",
    "history-survives": "What was said is remembered over a restart of everything.",
    "redis-away": "While Redis is away nothing is confirmed, and everything goes on by itself afterwards.",
    "redis-killed": "The embedded Valkey keeps every write that it acknowledged, also when it is killed.",
    "poison-update": "An update that cannot be understood becomes a dead letter, and the others go on.",
    "poison-message": "A message that ends its worker three times becomes a dead letter, and its session goes on.",
    "dead-letters": "An operator can list, read, retry and drop what was given up on.",
    "one-poller": "Of several bots one polls, and another takes over when it ends.",
    "webhook": "A pushed update is confirmed once it is stored, and taken only from whoever knows the secret.",
    "reminders": "A reminder comes back to its session once, when it is due.",
    # -- order, one turn, one reply
    "in-order": "A chat's messages are answered in the order in which they were accepted.",
    "fenced-commit": "A worker that lost its claim writes nothing.",
    "worker-stopped": "A worker that was paused past its heartbeat commits nothing stale.",
    "committed-once": "A turn that is written twice is written once.",
    "control-words": "Stop and new take their place among a chat's messages and end the running turn at once.",
    "cancelled-turn": "A turn that is cancelled ends its model call and leaves nothing behind.",
    "repeat-is-harmless": "An answer that grew on the screen may be delivered again without showing anything new.",
    # -- isolation
    "isolated-words": "No chat gets another chat's words.",
    "history-per-session": "An agent remembers what was said in its own session, and nothing else.",
    "choice-per-session": "A session chooses its agent and model, and keeps its history.",
    "servers-per-session": "An MCP server marked as a chat's own is never another chat's.",
    "hostile-text": "A text that is a control word to the runtime is only text.",
    "strangers": "A stranger is told so once and reaches no inbox.",
    "no-secrets": "No secret is shown or logged.",
    "no-file-bytes": "A history names files and never holds their bytes.",
    # -- the pool
    "slots-balanced": "Every slot has a living owner, and no worker has two slots more than another.",
    "slots-fewest-moves": "When workers come or go, no more slots move than must.",
    "store-is-the-model": "The store does what a plain model of it does, whatever comes in which order.",
    "atomic-steps": "Each change of several keys is one short script that touches only the keys it is given.",
    "version-skew": "What a newer release wrote is refused with a clear error and kept.",
    "fair-lanes": "Whoever waits longest for a lane is served first.",
    "supervised": "What dies is started again at once, and a worker's death is told to the others.",
    "bot-without-fast-agent": "The bot never loads fast-agent.",
    "flower-lists": "Flower lists the workers and their tasks.",
    # -- models and servers
    "model-faults": "Each fault of a model has its action, and an outage does not use up every chat's tries.",
    "dead-server": "A dead MCP server costs one turn its tool, and is replaced.",
    "nothing-asks": "Nothing in a worker ever waits for somebody at a terminal.",
    # -- Telegram
    "streams": "An answer grows on the screen in one message.",
    "markdown": "Whatever a model writes becomes messages that Telegram takes, and no word is lost.",
    "refusals": "Every refusal of Telegram has its row, in the code and in the documents alike.",
    "one-send-budget": "All workers together keep Telegram's limits, and a flood that one of them met holds them all.",
    "playground-is-telegram": "The playground speaks as the Bot API does.",
    # -- the operator
    "settings-clear": "A wrong setting is one clear line at the start.",
    "locked-install": "What is installed is what is locked.",
    "pinned-runtime": "The runtime's version is exact.",
    # -- the house
    "small-files": "A file holds one idea.",
    "docs-true": "The documents say what the code does.",
    "clean-tree": "No file names a package index or somebody's machine, and nothing is left for later.",
}
