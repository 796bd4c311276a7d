"""When each process last said that it lives."""

from datetime import datetime

from sqlalchemy.orm import Mapped, mapped_column

from slomix.database.session import Base


class Heartbeat(Base):
    """One row a process: its kind, and which copy of it. Wall time."""

    __tablename__ = "heartbeats"

    part: Mapped[str] = mapped_column(primary_key=True)
    copy: Mapped[str] = mapped_column(primary_key=True)
    seen_at: Mapped[datetime]
