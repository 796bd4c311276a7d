"""The cast of the demo, a crowd for benchmarks, and the settings with which Slomix reaches them."""

import uuid
from dataclasses import dataclass
from typing import Literal

Role = Literal["admin", "promoter", "player", "unlinked"]

CLIENT_ID = "1187503316824064071"
# Publicly known; they open nothing but this simulator.
CLIENT_SECRET = "simulator-client-secret"
BOT_TOKEN = "simulator-bot-token"
BOT_USER_ID = CLIENT_ID
# An Ed25519 key: its secret half signs interactions.
SIGNING_SEED = "9b5ad62c32dea9b516d32115fe395727af08f98e25edf0a28fd2bed38a1bce3c"
PUBLIC_KEY = "39e2dad0e6ac9e31ae44f3f1229fca1f26887779d22c24ab1db972bd6868abd8"

GUILD_ID = "901437285516304427"
TEXT_CHANNEL = "901437288624291893"
GAMING_VOICE_CHANNEL = "901437291195400253"
AFK_VOICE_CHANNEL = "901437293741342763"
OTHER_VOICE_CHANNEL = "901437296329244721"

VOICE_ROOMS = {GAMING_VOICE_CHANNEL: "Gaming", OTHER_VOICE_CHANNEL: "Other room", AFK_VOICE_CHANNEL: "AFK"}
TEXT_ROOMS = {TEXT_CHANNEL: "game-night"}

# In Telegram's format: the bot's own id, a colon, and 35 characters.
TELEGRAM_TOKEN = "7419206385:AAsimulator-token-opens-nothing-yet"
TELEGRAM_BOT_NAME = "SlomixBot"
TELEGRAM_GROUP, GROUP_TITLE = "-1002201337421", "Game nights"

SIGNAL_SENDER = "+38640000000"
SIGNAL_GROUP = "Z2FtZS1uaWdodHMtaW4tdGhlLXNpbXVsYXRvci4uLi4="

_DM_OFFSET = 700_000_000_000_000_003


@dataclass(frozen=True)
class SimulatedPerson:
    """A person with a Discord account, and their player in the game."""

    id: str
    name: str
    username: str
    role: Role
    player_name: str
    player_guid: str
    aliases: tuple[str, ...] = ()

    @property
    def dm_channel(self) -> str:
        """Derive the channel from the id, so that a learned channel survives a restart of the simulator."""
        return str(int(self.id) + _DM_OFFSET)

    @property
    def telegram_chat_id(self) -> int:
        """Return the person's own id on Telegram, which is also that of their private chat."""
        return int(self.id[:10])

    @property
    def signal_number(self) -> str:
        return f"+38640{_NUMBERS[self.id]:06}"

    @property
    def signal_aci(self) -> str:
        """Return the id of the person's account on Signal, which no setting hides."""
        return str(uuid.uuid5(uuid.NAMESPACE_URL, self.id))


@dataclass(frozen=True)
class UnclaimedProfile:
    """A player of the game that no Discord account has claimed yet."""

    guid: str
    name: str
    aliases: tuple[str, ...] = ()


# Ids are larger than 2**53 and odd: a browser that reads one as a number shows another person.
PEOPLE: tuple[SimulatedPerson, ...] = (
    SimulatedPerson(
        "231415926535897931",
        "Alice",
        "alice.et",
        "player",
        "^1Bad^7Boy",
        "A11CE0C3F94B27D58E60417B3D9A52F1",
        ("^1Bad^7Girl", "alice"),
    ),
    SimulatedPerson(
        "241421356237309505", "Bob", "bob_the_medic", "promoter", "^2Bob^7.^3medic", "B0B5F1D2C07E4A9385D61F2B70E94C3A"
    ),
    SimulatedPerson(
        "257721566490153287", "Charlie", "charlie", "unlinked", "^4Char^7lie", "C4A211E5D07B4F6892E3A15C60B7D948"
    ),
    SimulatedPerson(
        "261803398874989485", "Dora", "dora.admin", "admin", "Dora", "D02A4C8E16F3579BAD0E2F4681C3B5D7", ("^5D^7ora",)
    ),
    SimulatedPerson(
        "271828182845904523", "Erik", "erik_engineer", "player", "^9eRiK^7|eng", "E51C7A3F9D08B2465E7F1A3C5D9B0284"
    ),
    SimulatedPerson(
        "283185307179586477", "Franka", "franka", "player", "franka", "F4A9CA07E3B1D5826C4E9F0A1B3D5F72", ("^6fr^7nk",)
    ),
    SimulatedPerson(
        "291559494332051203", "Goran", "goran.panzer", "player", "^3Panzer^1Goran", "604A90D3B7F15E28C6A0D4982B1F3E57"
    ),
    SimulatedPerson(
        "301029995663981195",
        "Hana",
        "hana",
        "player",
        "^xHana^7*",
        "4A9A0B1C2D3E4F5061728394A5B6C7D8",
        ("hana.sniper",),
    ),
    SimulatedPerson(
        "312337523658527043",
        "Ivan",
        "ivan_calls",
        "promoter",
        "Ivan",
        "17A9C0DE53B8F2416D7E9A0C3B5F1824",
        ("^8Iv^7an",),
    ),
    SimulatedPerson("324450921872633159", "Jana", "jana", "player", "^5jana^7<3", "7A9A5D1E80C3B6F2491D7A3E5C0B8F64"),
    SimulatedPerson(
        "331662479035539983", "Kilian", "kilian", "unlinked", "Kilian^1!", "C111A90F7E2B4D6385A1C3E5F7092B4D"
    ),
    SimulatedPerson(
        "346410161513775457",
        "Luka",
        "luka.covert",
        "player",
        "^0Luka",
        "10CA3E5F7192B4D6A8C0E1F23456789B",
        ("^7Lukec", "lk"),
    ),
)


def _load_test_user(number: int) -> SimulatedPerson:
    # The first ten digits are the person's id on Telegram.
    person_id = f"41{number:08}{2 * (number * 7_654_321 % 50_000_000) + 1:08}"
    guid = f"C0DE{number:028X}"
    return SimulatedPerson(
        person_id, f"Crowd {number}", f"crowd.{number}", "player", f"^{number % 7}Crowd^7{number}", guid
    )


# A thousand more for benchmarks: reachable by their ids, but listed nowhere.
LOAD_TEST_USERS: tuple[SimulatedPerson, ...] = tuple(map(_load_test_user, range(1, 1001)))
LOAD_TEST_USERS_BY_ID = {person.id: person for person in LOAD_TEST_USERS}

_ALL_PEOPLE = (*PEOPLE, *LOAD_TEST_USERS)
_NUMBERS = {person.id: number for number, person in enumerate(_ALL_PEOPLE, 1)}
PEOPLE_BY_ID = {person.id: person for person in _ALL_PEOPLE}
# The owner of each address on a provider; other addresses are rooms', or unused.
PEOPLE_BY_ADDRESS: dict[str, dict[str, SimulatedPerson]] = {
    "discord": {person.dm_channel: person for person in _ALL_PEOPLE},
    "telegram": {str(person.telegram_chat_id): person for person in _ALL_PEOPLE},
    "signal": {address: person for person in _ALL_PEOPLE for address in (person.signal_aci, person.signal_number)},
}

UNCLAIMED_PLAYERS: tuple[UnclaimedProfile, ...] = (
    *(
        UnclaimedProfile(person.player_guid, person.player_name, person.aliases)
        for person in PEOPLE
        if person.role == "unlinked"
    ),
    UnclaimedProfile("0B5E55ED1D3A4F7892C6E0B1A5D3F748", "^1Rambo^7Nuna", ("rambo",)),
    UnclaimedProfile("5A11D0C7E9B34F2681D5A3C7F0E2B496", "^2S^3a^4l^5d^6o"),
    UnclaimedProfile("3E0D1C2B4A59687F8E7D6C5B4A392817", "Zdenka", ("^7Z^1.", "zdenka_old")),
)


def environment(port: int) -> dict[str, str]:
    """Return the settings that make a Slomix on `port` talk to the simulator beside it."""
    web, here = f"http://127.0.0.1:{port}", f"127.0.0.1:{port + 1}"
    callback = f"{web}/auth/callback"
    return {
        "DISCORD_CLIENT_ID": CLIENT_ID,
        "DISCORD_CLIENT_SECRET": CLIENT_SECRET,
        "DISCORD_REDIRECT_URI": callback,
        "DISCORD_REDIRECT_URI_ALLOWLIST": callback,
        "DISCORD_PUBLIC_KEY": PUBLIC_KEY,
        "DISCORD_BOT_TOKEN": BOT_TOKEN,
        "DISCORD_GUILD_ID": GUILD_ID,
        "DISCORD_API_BASE_URL": f"http://{here}/api/v10",
        "DISCORD_GATEWAY_URL": f"ws://{here}/gateway",
        "DISCORD_AUTHORIZE_URL": f"http://{here}/oauth2/authorize",
        "DISCORD_TOKEN_URL": f"http://{here}/api/v10/oauth2/token",
        "GAMING_VOICE_CHANNELS": GAMING_VOICE_CHANNEL,
        "AFK_VOICE_CHANNEL": AFK_VOICE_CHANNEL,
        "PROMOTER_DISCORD_IDS": _ids_of("promoter"),
        "WEBSITE_ADMIN_DISCORD_IDS": _ids_of("admin"),
        "AVAILABILITY_PROMOTION_FOLLOWUP_CHANNEL_ID": TEXT_CHANNEL,
        "AVAILABILITY_DISCORD_ANNOUNCE_CHANNEL_ID": TEXT_CHANNEL,
        "AVAILABILITY_PLANNING_DISCORD_CREATE_THREAD": "true",
        "AVAILABILITY_PLANNING_THREAD_PARENT_CHANNEL_ID": TEXT_CHANNEL,
        "AVAILABILITY_TELEGRAM_ENABLED": "true",
        "AVAILABILITY_TELEGRAM_BOT_TOKEN": TELEGRAM_TOKEN,
        "AVAILABILITY_TELEGRAM_API_BASE_URL": f"http://{here}/telegram",
        "AVAILABILITY_SIGNAL_ENABLED": "true",
        "AVAILABILITY_SIGNAL_DAEMON_URL": f"http://{here}/signal",
        "AVAILABILITY_SIGNAL_SENDER": SIGNAL_SENDER,
        "GAME_SERVER_HOST": "127.0.0.1",
        "GAME_SERVER_PORT": str(port + 1),
    }


def _ids_of(role: Role) -> str:
    return ",".join(person.id for person in PEOPLE if person.role == role)
