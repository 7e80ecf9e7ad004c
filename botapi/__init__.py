"""How bot and workers reach Telegram: requests over aiohttp, their pace, what a refusal means, one reply delivered."""
