"""Who is in the voice rooms, and when that was last seen."""

from datetime import datetime

from sqlalchemy.orm import Mapped, mapped_column

from slomix.database.session import Base


class VoiceState(Base):
    """An account in a voice room. Accounts in no room have no row."""

    __tablename__ = "voice_states"

    discord_id: Mapped[str] = mapped_column(primary_key=True)
    voice_channel_id: Mapped[str]
    since: Mapped[datetime]


class Observation(Base):
    """When a source was last read completely; without it the source's rows mean nothing."""

    __tablename__ = "presence_observations"

    source: Mapped[str] = mapped_column(primary_key=True)
    observed_at: Mapped[datetime]
