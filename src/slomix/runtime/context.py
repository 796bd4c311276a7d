"""What a process works with: settings, clock, database and channels; real ones, or doubles in tests."""

from collections.abc import Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field

from sqlalchemy.orm import Session

from slomix.channels.base import (
    Channel,
    DmOpener,
    GuildLookup,
    InteractionResponses,
    PressAnswers,
    RoomEditor,
    ScheduledEvents,
    Threads,
    VoiceLookup,
)
from slomix.channels.game_server import GameServerLookup
from slomix.clock import Clock
from slomix.config.settings import Settings
from slomix.database.session import Database


@dataclass(frozen=True)
class Runtime:
    """Made once at the edge of a process and handed to everything below it."""

    settings: Settings
    clock: Clock
    database: Database
    channels: Mapping[str, Channel] = field(default_factory=dict)
    voice_lookup: VoiceLookup | None = None
    # None without Discord: then no channel is opened ahead.
    dm_opener: DmOpener | None = None
    room_editor: RoomEditor | None = None
    # None without Telegram.
    press_answers: PressAnswers | None = None
    # None if no server is configured: then every account counts as a member.
    guild_lookup: GuildLookup | None = None
    # None if planning rooms have no threads.
    threads: Threads | None = None
    # None if campaigns have no events.
    scheduled_events: ScheduledEvents | None = None
    # None if Discord sends us no buttons and commands.
    interaction_responses: InteractionResponses | None = None
    # None if none is configured, or asking it is switched off.
    game_server: GameServerLookup | None = None

    def transaction(self) -> AbstractContextManager[Session]:
        """Open the unit of work, which commits at the end of the block."""
        return self.database.transaction()
