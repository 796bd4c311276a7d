"""Asks the provider where players are, several at once, for when the stored presence is too old."""

from collections.abc import Collection
from concurrent.futures import FIRST_EXCEPTION, Future, ThreadPoolExecutor, wait
from datetime import timedelta

from slomix.channels.base import ProviderDown, VoiceLookup
from slomix.reasons.codes import Reason

CONCURRENCY = 8
# In wall time. Together with the query to the game server it has to fit into the lease of a job.
TIMEOUT = timedelta(seconds=20)


def voice_channels(
    lookup: VoiceLookup, discord_ids: Collection[str], *, within: timedelta = TIMEOUT
) -> dict[str, str | None]:
    """Return the voice room of each account, or None. Raise the first SendError if any has no answer."""
    pool = ThreadPoolExecutor(CONCURRENCY, thread_name_prefix="voice-lookup")
    try:
        asked: dict[str, Future[str | None]] = {
            discord_id: pool.submit(lookup.voice_channel_of, discord_id) for discord_id in discord_ids
        }
        done, waiting = wait(asked.values(), within.total_seconds(), FIRST_EXCEPTION)
        for answer in done:
            if (error := answer.exception()) is not None:
                raise error
        if waiting:
            raise ProviderDown(Reason.DISCORD_TOO_SLOW)
        return {discord_id: answer.result() for discord_id, answer in asked.items()}
    finally:
        # Requests under way end by their own time-out.
        pool.shutdown(wait=False, cancel_futures=True)
