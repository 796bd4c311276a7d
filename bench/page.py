"""An open page without a browser: hears the stream and fetches its live part as the scripts in `static/js` do."""

import asyncio
import random
import re
from collections.abc import AsyncGenerator, Coroutine
from contextlib import aclosing
from dataclasses import dataclass
from ipaddress import IPv4Address
from itertools import count
from time import perf_counter

import aiohttp

from bench.stage import DAY

# As in refresh.js and in what the server tells an EventSource, in seconds.
JITTER = 0.2
PATIENCE = 10.0
RETRY = 3.0
RECONNECT = 1.0

FRAGMENT = "/board"
_COUNT = re.compile(r'data-title="\[(\d+)/')
_MARK = re.compile(r'data-mark="([^"]+)"')
_TOKEN = re.compile(r'name="csrf_token" value="([^"]+)"')
_HEADERS = {
    "User-Agent": "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0",
    "Accept-Encoding": "br, gzip",
    "Accept-Language": "en-GB,en;q=0.7",
}


_ADDRESSES = (str(IPv4Address("198.18.0.1") + number) for number in count())


def browser(url: str, cookies: dict[str, str]) -> aiohttp.ClientSession:
    """Make a browser with connections and an address of its own, as a proxy tells it."""
    return aiohttp.ClientSession(
        url,
        headers=_HEADERS | {"X-Forwarded-For": next(_ADDRESSES)},
        cookies=cookies,
        cookie_jar=aiohttp.CookieJar(unsafe=True),  # "unsafe" are addresses without a name, such as 127.0.0.1
        connector=aiohttp.TCPConnector(limit=0, keepalive_timeout=60),
        timeout=aiohttp.ClientTimeout(total=PATIENCE),
        raise_for_status=True,
    )


async def messages(session: aiohttp.ClientSession) -> AsyncGenerator[str, None]:
    """Yield the id of each message of `/events` as it arrives, empty if it has none, until the stream is cut."""
    forever = aiohttp.ClientTimeout(total=None)
    headers = {"Accept": "text/event-stream", "Cache-Control": "no-cache"}
    async with session.get("/events", headers=headers, timeout=forever) as answer:
        last_id = ""
        async for line in answer.content:
            if line.startswith(b"id: "):
                last_id = line[4:].decode().rstrip()
            elif line.startswith(b"data: "):
                yield last_id


def looking_in(html: str, *, with_names: bool) -> int | None:
    """Read how many are looking from a board; with names, None unless the queue has just as many."""
    count = _COUNT.search(html)
    if count is None:
        return None
    if with_names:
        queue = html.partition('<section id="queue"')[2].partition("</section>")[0]
        if queue.count('<span class="name">') != int(count[1]):
            return None
    return int(count[1])


@dataclass(frozen=True)
class ChangeTimes:
    """How a change came onto a page: when the page heard, when it asked, and when it had read the new state."""

    heard_at: float
    asked_at: float
    seen_at: float


class Page:
    """One open board. `trouble` counts lost streams and failed fetches, `went_back` an old state after the new one."""

    def __init__(self, session: aiohttp.ClientSession, *, is_linked: bool) -> None:
        self.session, self.is_linked = session, is_linked
        self.trouble = self.went_back = 0
        self.greeted = asyncio.Event()
        self.expect(None)
        self._mark = self._etag = ""
        self._is_busy = self._is_stale = False
        self._tasks: set[asyncio.Task[None]] = set()

    async def open(self) -> None:
        """Load the page, let it live from now on, and return when it hears and has nothing to fetch."""
        async with self.session.get("/") as answer:
            html = await answer.text()
        mark = _MARK.search(html)
        self._mark = mark[1] if mark else ""
        self._look(html, perf_counter())
        self._spawn(self._listen())
        await self.greeted.wait()
        while self._is_busy:
            await asyncio.sleep(0.05)

    async def close(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self.session.close()

    def expect(self, looking: int | None) -> None:
        """Wait for this state from now on; `sight` tells when it has come."""
        self._wanted, self._heard_at = looking, 0.0
        self.sight: asyncio.Future[ChangeTimes] = asyncio.get_running_loop().create_future()

    def refresh(self) -> None:
        """Fetch the live part: one fetch in flight, at most one more to come."""
        self._is_stale = True
        if not self._is_busy:
            self._is_busy = True
            self._spawn(self._renew())

    async def _listen(self) -> None:
        while True:
            try:
                async with aclosing(messages(self.session)) as stream:
                    async for message_id in stream:
                        self._heard_at = self._heard_at or perf_counter()
                        # At the very first message the page may be as new as the stream.
                        mark, self._mark = self._mark, ""
                        if not mark or mark != message_id:
                            self.refresh()
                        self.greeted.set()
            except aiohttp.ClientError:
                pass
            self.trouble += 1
            self.refresh()
            await asyncio.sleep(RECONNECT)

    async def _renew(self) -> None:
        while self._is_stale:
            self._is_stale = False
            await asyncio.sleep(random.uniform(0, JITTER))
            try:
                await self._fetch()
            except (aiohttp.ClientError, TimeoutError):
                self.trouble += 1
                self._spawn(self._try_again())
        self._is_busy = False

    async def _try_again(self) -> None:
        await asyncio.sleep(RETRY)
        self.refresh()

    async def _fetch(self) -> None:
        asked_at = perf_counter()
        headers = {"HX-Request": "true"} | ({"If-None-Match": self._etag} if self._etag else {})
        async with self.session.get(FRAGMENT, headers=headers) as answer:
            html = await answer.text()
        if answer.status == 200:  # else it is unchanged
            self._etag = answer.headers.get("ETag", "")
            self._look(html, asked_at)

    def _look(self, html: str, asked_at: float) -> None:
        seen_at = perf_counter()
        if looking_in(html, with_names=self.is_linked) == self._wanted:
            if not self.sight.done():
                self.sight.set_result(ChangeTimes(self._heard_at, asked_at, seen_at))
        elif self.sight.done():
            self.went_back += 1

    def _spawn(self, work: Coroutine[None, None, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


class Listener:
    """Nothing but an open stream, which knows when it was greeted and when it heard of a change."""

    def __init__(self, session: aiohttp.ClientSession) -> None:
        self._session = session
        self.hello: asyncio.Future[float] = asyncio.get_running_loop().create_future()
        self.topic = self.hello

    def expect(self) -> None:
        """Wait for a topic from now on; `topic` tells when it has come."""
        self.topic = asyncio.get_running_loop().create_future()

    async def read(self) -> None:
        async with aclosing(messages(self._session)) as stream:
            async for _ in stream:
                if not self.topic.done():
                    self.topic.set_result(perf_counter())


class StatusPresser:
    """A player at a browser with scripts, who presses the status buttons of the day."""

    def __init__(self, session: aiohttp.ClientSession) -> None:
        self.session = session
        self._token = ""

    async def arrive(self) -> None:
        async with self.session.get("/") as answer:
            found = _TOKEN.search(await answer.text())
        self._token = found[1] if found else ""

    async def press(self, status: str) -> float:
        """Press one button; return the moment at which the form was sent."""
        sent_at = perf_counter()
        form = {"csrf_token": self._token, "status": status}
        async with self.session.post(f"/day/{DAY}/status", data=form, headers={"HX-Request": "true"}) as answer:
            await answer.read()
        return sent_at
