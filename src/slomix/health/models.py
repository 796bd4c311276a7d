"""The last heartbeat of each process."""

from datetime import datetime

from sqlalchemy.orm import Mapped, mapped_column

from slomix.database.session import Base


class Heartbeat(Base):
    """The last heartbeat of one copy of a process, in wall time."""

    __tablename__ = "heartbeats"

    part: Mapped[str] = mapped_column(primary_key=True)
    copy: Mapped[str] = mapped_column(primary_key=True)
    seen_at: Mapped[datetime]
    # What keeps it from its work although it lives, for /health to say.
    trouble: Mapped[str | None]
