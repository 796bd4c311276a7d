"""One reading for many callers at the same moment, such as all open pages after a change."""

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Generic, TypeVar

_Key = TypeVar("_Key")
_Value = TypeVar("_Value")


@dataclass
class _Batch(Generic[_Key, _Value]):
    """The callers since the last reading began."""

    keys: set[_Key] = field(default_factory=set)
    answers: Mapping[_Key, _Value] | None = None
    error: Exception | None = None


class Singleflight(Generic[_Key, _Value]):
    """Answers all callers that come while a reading is under way with the next reading.

    An answer was always read after its caller asked: a player who has just pressed a button finds it pressed. A reading
    that fails has failed for all callers that shared it: if the database hangs, they do not wait one after the other.
    """

    def __init__(self, read: Callable[[set[_Key]], Mapping[_Key, _Value]]) -> None:
        self._read = read
        self._lock = threading.Lock()
        self._turn = threading.Lock()
        self._next: _Batch[_Key, _Value] = _Batch()

    def get(self, key: _Key) -> _Value | None:
        """Return what there is for `key`, read by the caller whose turn comes first."""
        with self._lock:
            batch = self._next
            batch.keys.add(key)
        with self._turn:
            if batch.answers is None and batch.error is None:
                with self._lock:  # callers from here on wait for the next reading
                    if self._next is batch:
                        self._next = _Batch()
                try:
                    batch.answers = self._read(batch.keys)
                except Exception as error:
                    batch.error = error
                    raise
        if batch.error is not None:
            raise batch.error
        assert batch.answers is not None
        return batch.answers.get(key)
