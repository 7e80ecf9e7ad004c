"""The client of a store: tests look at keys, and the product uses the store's verbs alone."""

from redis.asyncio import Redis

from tasks.store import Store


def redis_of(store: Store) -> Redis:
    """Where its keys are."""
    return store._redis
