"""The picture of the voice rooms, with the time it was seen."""

from datetime import datetime

from sqlalchemy.orm import Mapped, mapped_column

from slomix.database.session import Base


class VoiceState(Base):
    """Somebody in a voice room. Who is in none has no row."""

    __tablename__ = "voice_states"

    discord_id: Mapped[str] = mapped_column(primary_key=True)
    voice_channel_id: Mapped[str]
    since: Mapped[datetime]


class Observation(Base):
    """When a source was last seen whole; without it the source's rows mean nothing."""

    __tablename__ = "presence_observations"

    source: Mapped[str] = mapped_column(primary_key=True)
    observed_at: Mapped[datetime]
