"""People who talk all the time, while a test does something else to the system."""

import asyncio

from playground.client import PlaygroundClient


async def talk(people: PlaygroundClient, over: asyncio.Event, spoken: asyncio.Semaphore) -> int:
    """A person who writes when the last answer has come; gives how often, and each was answered."""
    chat, times = (await people.chat())["id"], 0
    while not over.is_set():
        times += 1
        word = f"b{chat}n{times}q"
        await people.say(chat, word)
        await people.wait_for(chat, lambda ours, word=word: any(word in one.get("text", "") for one in ours))
        spoken.release()
    return times
