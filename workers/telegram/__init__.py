"""The worker's Telegram side: delivery, growing answers, media; the only part of a worker that knows PTB."""
