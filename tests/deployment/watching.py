"""Who uses Slomix while it is restarted: an open page whose stream comes back by itself, and somebody who reloads."""

import threading
import time
from abc import ABC, abstractmethod
from collections import Counter
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any

import httpx2

from tests.waiting import PATIENCE

RETRY_SECONDS = 1.0  # as the stream tells the browser


def process_of(mark: str) -> str:
    """Which web process gave this mark: each has a name that it makes up when it starts."""
    return mark.rpartition("-")[0]


class _Background(ABC):
    """Something that goes on in a thread for as long as a block lasts."""

    def __init__(self) -> None:
        self.is_over = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self) -> Any:
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.is_over.set()

    @abstractmethod
    def _run(self) -> None:
        """Until `is_over`."""


@dataclass
class Heard:
    """One message of a stream, and when it came."""

    at: float
    process: str
    data: str


class OpenPage(_Background):
    """The stream of an open page. It comes back after a second when it ends, as browsers do."""

    def __init__(self, url: str) -> None:
        super().__init__()
        self.url = url
        self.heard: list[Heard] = []
        self.connected: list[float] = []
        self.ended: list[float] = []
        self.refused: list[str] = []

    def _run(self) -> None:
        while not self.is_over.is_set():
            try:
                with httpx2.stream("GET", f"{self.url}/events", timeout=PATIENCE, verify=False) as answer:
                    self._read(answer)
            except httpx2.HTTPError as error:
                self.refused.append(type(error).__name__)
            self.ended.append(time.monotonic())
            self.is_over.wait(RETRY_SECONDS)

    def _read(self, answer: httpx2.Response) -> None:
        if answer.status_code != 200:
            self.refused.append(str(answer.status_code))  # a browser would not come back after that
            return
        self.connected.append(time.monotonic())
        mark = ""
        for line in answer.iter_lines():
            if line.startswith("id: "):
                mark = line.removeprefix("id: ")
            elif line.startswith("data: "):
                self.heard.append(Heard(time.monotonic(), process_of(mark), line.removeprefix("data: ")))
            if self.is_over.is_set():
                return

    @property
    def process(self) -> str:
        """The web process that it is connected to; empty while that is not known."""
        since = self.connected[-1] if self.connected else 0.0
        return next((one.process for one in reversed(self.heard) if one.at >= since and one.process), "")

    def moment_of(self, topic: str, *, after: float) -> float | None:
        """When it first heard of this topic after that moment."""
        return next((one.at for one in self.heard if one.at > after and topic in one.data.split()), None)


@dataclass
class Reloading(_Background):
    """Somebody who asks for the board again and again."""

    url: str
    answers: Counter[str] = field(default_factory=Counter)
    slowest: float = 0.0

    def __post_init__(self) -> None:
        super().__init__()

    def _run(self) -> None:
        with httpx2.Client(base_url=self.url, timeout=PATIENCE, verify=False) as client:
            while not self.is_over.is_set():
                began = time.monotonic()
                try:
                    said = str(client.get("/").status_code)
                except httpx2.HTTPError as error:
                    said = type(error).__name__
                self.answers[said] += 1
                self.slowest = max(self.slowest, time.monotonic() - began)
                self.is_over.wait(0.15)
