"""Carries nudges through Redis: a list for each lane, at which a worker waits without asking again and again.

A nudge may get lost, because the scheduler repeats it until its row is claimed. So nothing is acknowledged, delayed or
kept for a worker that died, which is what Dramatiq's own broker for Redis asks about 190 times a second.
"""

import threading
from collections.abc import Iterable
from datetime import timedelta
from typing import Any

import redis
from dramatiq import Broker, ConnectionClosed, Consumer, Message, MessageProxy
from redis.backoff import NoBackoff
from redis.retry import Retry

# A list that nobody takes from doesn't grow for ever; it is longer than the longest pause between two nudges.
KEPT_FOR = timedelta(minutes=10)
# Longer than a consumer waits for its list, so that a Redis that vanished is noticed.
ANSWERS_WITHIN = 5.0
# A Redis that hangs must not keep the scheduler from PostgreSQL, nor its heartbeats.
ENQUEUED_WITHIN = 1.0


class NudgeBroker(Broker):
    """The broker of some lanes, without middleware, as retries and ages belong to the jobs' rows."""

    def __init__(self, redis_url: str, lanes: Iterable[str]) -> None:
        super().__init__(middleware=[])
        self._waiting = redis.Redis.from_url(redis_url, socket_timeout=ANSWERS_WITHIN)
        self._pushing = redis.Redis.from_url(
            redis_url,
            socket_timeout=ENQUEUED_WITHIN,
            socket_connect_timeout=ENQUEUED_WITHIN,
            retry=Retry(NoBackoff(), 1),
        )
        self._consumers: dict[str, _Consumer] = {}
        for lane in lanes:
            self.declare_queue(lane)

    def declare_queue(self, queue_name: str) -> None:
        self.queues[queue_name] = None

    def enqueue(self, message: "Message[Any]", *, delay: int | None = None) -> "Message[Any]":
        """Put a message at the end of its lane's list, or at its head by the option `first`."""
        assert delay is None  # a row knows its own moment
        with self._pushing.pipeline(transaction=False) as pipe:
            push = pipe.lpush if message.options.get("first") else pipe.rpush
            push(_key(message.queue_name), message.encode())
            pipe.expire(_key(message.queue_name), KEPT_FOR)
            pipe.execute()
        return message

    def consume(self, queue_name: str, prefetch: int = 1, timeout: int = 30_000) -> Consumer:
        """Return the one consumer of a lane: it counts what is under way also after a lost connection."""
        return self._consumers.setdefault(
            queue_name, _Consumer(self._waiting, _key(queue_name), prefetch, seconds=timeout / 1000)
        )

    def close(self) -> None:
        self._waiting.close()
        self._pushing.close()


class _Consumer(Consumer):
    """Waits at a lane's list while fewer than `most` of its messages are under way in this process."""

    def __init__(self, client: "redis.Redis", key: str, most: int, *, seconds: float) -> None:
        self._redis, self._key, self._seconds = client, key, seconds
        self._room = threading.Semaphore(most)

    def __next__(self) -> MessageProxy | None:
        if not self._room.acquire(timeout=self._seconds):
            return None
        found: Any = None
        try:
            found = self._redis.blpop([self._key], timeout=self._seconds)
        except redis.RedisError as error:
            raise ConnectionClosed(error) from None  # type: ignore[no-untyped-call]
        finally:
            if found is None:
                self._room.release()
        return None if found is None else MessageProxy(Message.decode(found[1]))

    def ack(self, message: MessageProxy) -> None:  # noqa: ARG002 - Dramatiq names it
        self._room.release()

    def nack(self, message: MessageProxy) -> None:
        self.ack(message)

    def requeue(self, messages: Iterable[MessageProxy]) -> None:
        """Leave to other workers, before all else, what this one has not begun; it is on its way out."""
        waiting = [message.encode() for message in messages]
        if waiting:
            self._redis.lpush(self._key, *reversed(waiting))


def _key(lane: str) -> str:
    return f"slomix:nudges:{lane}"
