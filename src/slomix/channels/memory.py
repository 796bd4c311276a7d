"""A channel that keeps what it is given: for tests, with the answers they ask for."""

from dataclasses import dataclass, field
from datetime import timedelta

from slomix.channels.base import Address, Message, Receipt, SendError


@dataclass
class MemoryChannel:
    """Takes everything, or raises what stands in `answers`; a nonce it knows answers with the first message."""

    sent: list[tuple[Address, Message, str]] = field(default_factory=list)
    answers: list[SendError | None] = field(default_factory=list)
    repeatable_for: timedelta = timedelta(seconds=60)

    def send(self, to: Address, message: Message, *, nonce: str) -> Receipt:
        answer = self.answers.pop(0) if self.answers else None
        if answer is not None:
            raise answer
        known = [number for number, (_, _, seen) in enumerate(self.sent) if seen == nonce]
        if known:
            return Receipt(message_id=str(known[0]))
        self.sent.append((to, message, nonce))
        return Receipt(message_id=str(len(self.sent) - 1))

    @property
    def texts(self) -> list[str]:
        return [message.text for _, message, _ in self.sent]
