"""Discord's rate limits: a bucket for each route and room, and fifty requests in any second for the whole bot."""

from collections import deque
from dataclasses import dataclass, field
from datetime import timedelta

GLOBAL_LIMIT = 50
SESSION_LIMIT, SESSION_WINDOW = 1000, 86_400.0
MESSAGE_LIMIT, MESSAGE_WINDOW = 5, 5.0
# Of one message that is older than an hour; Discord publishes no numbers.
OLD_EDIT_AGE, OLD_EDIT_LIMIT, OLD_EDIT_WINDOW = timedelta(hours=1), 3, 20.0
# Discord does not publish the others; wide enough that only the global limit is met in an evening.
OTHER_LIMIT, OTHER_WINDOW = 50, 1.0
MESSAGE_ROUTES = ("messages", "edit-message")


@dataclass
class RateWindow:
    """The requests that were taken in the last `seconds`."""

    limit: int
    seconds: float
    taken: deque[float] = field(default_factory=deque)

    def wait(self, now: float) -> float:
        """Return the seconds until the next request would be taken; 0 if now."""
        while self.taken and self.taken[0] <= now - self.seconds:
            self.taken.popleft()
        if len(self.taken) < self.limit:
            return 0.0
        return (self.taken[0] if self.taken else now) + self.seconds - now

    def accept(self, now: float) -> None:
        self.taken.append(now)

    def headers(self, now: float, bucket: str) -> dict[str, str]:
        """Return the bucket's headers, which Discord adds to every answer."""
        reset_after = self.taken[0] + self.seconds - now if self.taken else 0.0
        return {
            "X-RateLimit-Limit": str(self.limit),
            "X-RateLimit-Remaining": str(max(0, self.limit - len(self.taken))),
            "X-RateLimit-Reset": f"{now + reset_after:.3f}",
            "X-RateLimit-Reset-After": f"{reset_after:.3f}",
            "X-RateLimit-Bucket": bucket,
        }


# Discord names no numbers; bots were quarantined after opening 25 to 40 DM channels at once.
OPENING_LIMIT, OPENING_WINDOW = 10, 10.0
# How long it then opens none, and how many tries meanwhile cost more than that.
OPENING_PAUSE, OPENING_PATIENCE, OPENING_BAN = 60.0, 10, 600.0


@dataclass
class DmOpenings:
    """The DM channels that were opened; opening one again counts for nothing."""

    window: RateWindow = field(default_factory=lambda: RateWindow(OPENING_LIMIT, OPENING_WINDOW))
    opened: set[str] = field(default_factory=set)
    refused: int = 0
    _no_more_until: float = 0.0
    _stopped_until: float = 0.0
    _tries_meanwhile: int = 0

    def set_limit(self, limit: int, seconds: float) -> None:
        """Open at most so many from now on; what was opened stays open."""
        self.window = RateWindow(limit, seconds)

    def as_json(self) -> dict[str, int]:
        return {"opened": len(self.opened), "refused": self.refused}

    def open(self, account: str, now: float) -> int | None:
        """Open the channel with this account, or return the code of the refusal."""
        if account in self.opened:
            return None
        if now < self._stopped_until:
            self.refused += 1
            return 40004
        if now < self._no_more_until:
            self._tries_meanwhile += 1
            if self._tries_meanwhile >= OPENING_PATIENCE:
                self._stopped_until = now + OPENING_BAN
        elif self.window.wait(now) > 0:
            self._no_more_until, self._tries_meanwhile = now + OPENING_PAUSE, 0
        else:
            self.window.accept(now)
            self.opened.add(account)
            return None
        self.refused += 1
        return 40003


@dataclass(frozen=True)
class RateLimitRefusal:
    """A request that was one too many."""

    retry_after: float
    is_global: bool


@dataclass
class RateLimits:
    """All windows of the bot, and its peak."""

    overall: RateWindow = field(default_factory=lambda: RateWindow(GLOBAL_LIMIT, 1.0))
    buckets: dict[tuple[str, str], RateWindow] = field(default_factory=dict)
    accepted: int = 0
    refused: int = 0
    # Refused before Discord's limits are looked at: by Cloudflare, or for the token.
    blocked: int = 0
    peak_per_second: int = 0
    openings: DmOpenings = field(default_factory=DmOpenings)
    sessions: RateWindow = field(default_factory=lambda: RateWindow(SESSION_LIMIT, SESSION_WINDOW))
    # Discord resets the token of a bot that has started too many sessions.
    is_token_reset: bool = False

    def bucket(self, route: str, room: str) -> RateWindow:
        limits = (MESSAGE_LIMIT, MESSAGE_WINDOW) if route in MESSAGE_ROUTES else (OTHER_LIMIT, OTHER_WINDOW)
        return self.buckets.setdefault((route, room), RateWindow(*limits))

    def request(self, route: str, room: str, now: float) -> RateLimitRefusal | None:
        """Take a request, or return why not."""
        bucket = self.bucket(route, room)
        for window in (self.overall, bucket):
            if (wait := window.wait(now)) > 0:
                self.refused += 1
                return RateLimitRefusal(wait, is_global=window is self.overall)
        self.overall.accept(now)
        bucket.accept(now)
        self.accepted += 1
        self.peak_per_second = max(self.peak_per_second, len(self.overall.taken))
        return None

    @property
    def session_starts(self) -> int:
        return len(self.sessions.taken)

    def allow_sessions(self, remaining: int) -> None:
        """Allow only so many more sessions."""
        self.sessions.limit = self.session_starts + remaining

    def start_session(self, now: float) -> bool:
        """Count a session; return False, and reset the token, if it was one too many."""
        self.is_token_reset = self.is_token_reset or self.sessions.wait(now) > 0
        self.sessions.accept(now)
        return not self.is_token_reset

    def session_start_limit(self, now: float) -> dict[str, int]:
        """Return what `/gateway/bot` says of the sessions that are left."""
        reset_after = self.sessions.taken[0] + SESSION_WINDOW - now if self.sessions.taken else SESSION_WINDOW
        return {
            "total": SESSION_LIMIT,
            "remaining": max(0, self.sessions.limit - self.session_starts),
            "reset_after": int(reset_after * 1000),
            "max_concurrency": 1,
        }
