"""The way to the Bot API that bot and workers share: requests over aiohttp, and the proxy they take."""
