"""The commands of operators: roles, keys, players."""

import pytest
from cryptography.fernet import Fernet
from sqlalchemy import select

from slomix.accounts.models import GrantedRole, LinkEvent
from slomix.accounts.rules import LinkAction
from slomix.contacts import service as contacts
from slomix.contacts.encryption import AddressVault
from slomix.contacts.rules import ChannelName
from tests.configuration import CONTACT_KEY
from tests.steps import do
from tests.world import World

NEW_KEY = Fernet.generate_key().decode()


def test_a_role_is_granted_once_and_revoked_once_and_both_are_in_the_log(installation: World) -> None:
    someone = "100000000000000042"
    assert do("roles", "grant", someone, "promoter").output == f"{someone} is promoter now.\n"
    assert do("roles", "grant", someone, "promoter").output == f"{someone} is promoter already.\n"
    assert do("roles", "revoke", someone, "promoter").output == f"{someone} is no promoter any more.\n"
    assert do("roles", "revoke", someone, "promoter").output == f"{someone} was no promoter.\n"
    with installation.session() as session:
        assert session.scalars(select(GrantedRole)).all() == []
        log = session.scalars(select(LinkEvent).order_by(LinkEvent.id.desc()).limit(2)).all()
        assert [(event.action, event.actor, event.user_id) for event in reversed(log)] == [
            (LinkAction.ROLE_GRANTED, "command line", None),
            (LinkAction.ROLE_REVOKED, "command line", None),
        ]
        assert someone not in str([event.details for event in log])
        assert log[0].details["grant"] == log[1].details["grant"], "the same one"


def test_who_has_which_role_and_whence(installation: World, monkeypatch: pytest.MonkeyPatch) -> None:
    assert do("roles", "list").output == "No promoter or admin yet: slomix roles grant DISCORD_ID admin\n"
    bob, stranger = installation.discord_ids["bob"], "100000000000000042"
    monkeypatch.setenv("PROMOTER_DISCORD_IDS", bob)
    do("roles", "grant", bob, "admin")
    do("roles", "grant", stranger, "promoter")
    rows = [line.split(maxsplit=2) for line in do("roles", "list").output.splitlines()]
    assert [(discord_id, role) for discord_id, role, _ in rows] == [
        (bob, "admin"),
        *sorted([(bob, "promoter"), (stranger, "promoter")], key=lambda row: int(row[0])),
    ]
    assert rows[0][2].startswith("granted 20") and rows[0][2].endswith("Bob")
    told = {(discord_id, role): rest for discord_id, role, rest in rows}
    assert told[bob, "promoter"].split() == ["by", "the", "settings", "Bob"]
    assert told[stranger, "promoter"].endswith("never logged in")


@pytest.mark.parametrize("words", [("grant", "not-an-id", "admin"), ("grant", "1", "emperor"), ("grant", "1")])
def test_nonsense_is_a_sentence_and_changes_nothing(installation: World, words: tuple[str, ...]) -> None:
    answer = do("roles", *words)
    assert answer.exit_code in {1, 2}
    assert "Traceback" not in answer.output
    with installation.session() as session:
        assert session.scalars(select(GrantedRole)).all() == []


def test_keys_rotate_and_a_lost_one_is_said(installation: World, monkeypatch: pytest.MonkeyPatch) -> None:
    installation.has("alice", ChannelName.TELEGRAM, "4711")
    monkeypatch.setenv("CONTACT_DATA_ENCRYPTION_KEY", f"{NEW_KEY},{CONTACT_KEY}")
    assert do("contacts", "rotate-keys").output == "1 sealed with the newest key.\n"
    with installation.session() as session:
        sealed = contacts.contacts_of(session, installation.players["alice"])[ChannelName.TELEGRAM].sealed
    assert AddressVault([NEW_KEY]).unseal(sealed or "") == "4711"
    monkeypatch.setenv("CONTACT_DATA_ENCRYPTION_KEY", do("contacts", "new-key").output.strip())
    lost = do("contacts", "rotate-keys")
    assert lost.exit_code == 1
    assert "1 could not be read" in lost.output


def test_without_a_key_there_is_nothing_to_rotate(installation: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CONTACT_DATA_ENCRYPTION_KEY", "")
    answer = do("contacts", "rotate-keys")
    assert (answer.exit_code, "Traceback" in answer.output) == (1, False)
