"""Asks the provider where people are, one by one but several at once, for when our own picture is too old."""

from collections.abc import Collection
from concurrent.futures import FIRST_EXCEPTION, Future, ThreadPoolExecutor, wait
from datetime import timedelta

from slomix import words
from slomix.channels.base import SendError, VoiceLookup

AT_ONCE = 8
# In wall time. With the question to the game server after it, this has to fit into the lease of a job.
WITHIN = timedelta(seconds=20)


def voice_channels(
    lookup: VoiceLookup, discord_ids: Collection[str], *, within: timedelta = WITHIN
) -> dict[str, str | None]:
    """The voice room of each, or None. All of them or nobody: raise SendError with the first that has no answer."""
    pool = ThreadPoolExecutor(AT_ONCE, thread_name_prefix="voice-lookup")
    try:
        asked: dict[str, Future[str | None]] = {one: pool.submit(lookup.voice_channel_of, one) for one in discord_ids}
        done, waiting = wait(asked.values(), within.total_seconds(), FIRST_EXCEPTION)
        for one in done:
            if (error := one.exception()) is not None:
                raise error
        if waiting:
            raise SendError(words.DISCORD_TOO_SLOW)
        return {discord_id: answer.result() for discord_id, answer in asked.items()}
    finally:
        # What is under way ends by its own time-out.
        pool.shutdown(wait=False, cancel_futures=True)
