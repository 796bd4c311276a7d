"""The link in every message that unsubscribes its reader from that kind, without a login.

It is signed for a player, a kind and a random text that is new with every link of the player, so it ends with that
link. It is a permission: it is filled in when a message leaves, and is stored nowhere.
"""

from dataclasses import dataclass
from zoneinfo import ZoneInfo

from itsdangerous import BadSignature, Signer
from sqlalchemy import select
from sqlalchemy.orm import Session

from slomix.accounts.models import Player, User
from slomix.config.settings import Settings
from slomix.contacts import preferences
from slomix.contacts.kinds import KIND_TEXTS
from slomix.contacts.rules import MessageKind, Reachability
from slomix.errors import NotFound
from slomix.i18n import N_
from slomix.parsing import parse_int

# Stands for the token in texts that are stored.
EMPTY = "\N{HORIZONTAL ELLIPSIS}"


class LinkNotValid(NotFound):
    """The link was changed on its way, or its player is not linked any more."""

    sentence = N_("This link is not valid any more: its player is not linked here now, and gets no messages.")


@dataclass(frozen=True)
class MessageReader:
    """The reader of a message: their zone, and the place of the link by which they unsubscribe from such messages."""

    zone: ZoneInfo
    unsubscribe_link: str


@dataclass(frozen=True)
class UnsubscribeRequest:
    """The kind that a link may switch off, and for which player."""

    player_id: int
    player_name: str
    kind: MessageKind
    is_off: bool

    @property
    def what(self) -> str:
        """Return what messages of this kind are called."""
        return KIND_TEXTS[self.kind].stopped


def reader_of(reach: Reachability, *, settings: Settings) -> MessageReader:
    """Describe a linked reader, with a link that is empty until `fill_link`."""
    return MessageReader(reach.zone, f"{settings.base_url}/stop/{EMPTY}")


def fill_link(text: str, reach: Reachability, kind: MessageKind, *, settings: Settings) -> str:
    """Fill in the link by which this reader unsubscribes from messages of this kind."""
    token = _signer(settings, reach.unsubscribe_salt).sign(f"{reach.player_id}.{kind}").decode()
    empty = f"{settings.base_url}/stop/{EMPTY}"
    return text.replace(empty, empty.removesuffix(EMPTY) + token)


def read_token(session: Session, token: str, *, settings: Settings) -> UnsubscribeRequest:
    """Read the request that this link stands for. Raise LinkNotValid."""
    number, _, rest = token.partition(".")
    player_id = parse_int(number, 1, 2**63 - 1)
    kind = next((kind for kind in MessageKind if rest.startswith(f"{kind}.")), None)
    if kind is None or player_id is None:
        raise LinkNotValid
    found = session.execute(
        select(User.unsubscribe_salt, Player.name)
        .join(Player, Player.id == User.player_id)
        .where(Player.id == player_id)
    ).one_or_none()
    if found is None:
        raise LinkNotValid
    try:
        _signer(settings, found.unsubscribe_salt).unsign(token)
    except BadSignature as error:
        raise LinkNotValid from error
    wishes = preferences.preferences_of(session, player_id, zone=settings.zone)
    return UnsubscribeRequest(player_id, found.name, kind, is_off=kind not in wishes.allows)


def _signer(settings: Settings, salt: str) -> Signer:
    return Signer(settings.session_secret.get_secret_value(), salt=f"slomix.stop:{salt}")
