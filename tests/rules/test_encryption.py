"""What is sealed at rest: read by whoever has a key, found by nobody without one, and moved from key to key."""

import pytest
from cryptography.fernet import Fernet
from hypothesis import given
from hypothesis import strategies as st

from slomix.contacts.encryption import AddressVault, CannotDecrypt, vault_from_settings
from tests.configuration import CONTACT_KEY, make_settings

OLD, NEW, FOREIGN = (Fernet.generate_key().decode() for _ in range(3))
NUMBER = "+38640123456"


@given(st.text(max_size=200))
def test_what_is_sealed_is_opened_as_it_was(address: str) -> None:
    vault = AddressVault([NEW])
    assert vault.unseal(vault.seal("signal", address).text) == address


@given(st.text(min_size=6, max_size=200))
def test_what_is_stored_shows_nothing_of_the_address(address: str) -> None:
    sealed = AddressVault([NEW]).seal("signal", address)
    assert address not in sealed.text
    assert address not in sealed.address_hash


@given(st.text(max_size=200))
def test_after_a_rotation_the_old_key_still_reads_and_finds(address: str) -> None:
    before = AddressVault([OLD]).seal("telegram", address)
    rotating = AddressVault([NEW, OLD])
    assert rotating.unseal(before.text) == address
    assert before.address_hash in rotating.hashes("telegram", address)
    after = rotating.seal("telegram", address)
    assert AddressVault([NEW]).unseal(after.text) == address, "the newest key seals"
    assert after.address_hash == AddressVault([NEW]).seal("telegram", address).address_hash


@given(st.text(max_size=50), st.text(max_size=50))
def test_a_hash_is_the_same_for_the_same_address_and_for_no_other(one: str, other: str) -> None:
    vault = AddressVault([NEW])
    is_same = vault.hashes("signal", one) == vault.hashes("signal", other)
    assert is_same is (one == other)


def test_the_same_address_twice_looks_different_but_has_one_hash() -> None:
    vault = AddressVault([NEW])
    first, second = vault.seal("signal", NUMBER), vault.seal("signal", NUMBER)
    assert first.text != second.text
    assert first.address_hash == second.address_hash


def test_nobody_sees_that_two_channels_share_an_address() -> None:
    vault = AddressVault([NEW])
    assert vault.seal("signal", NUMBER).address_hash != vault.seal("telegram", NUMBER).address_hash


def test_without_a_key_nobody_tells_the_hash_of_a_number() -> None:
    assert set(AddressVault([NEW]).hashes("signal", NUMBER)).isdisjoint(
        AddressVault([FOREIGN]).hashes("signal", NUMBER)
    )


def test_with_another_key_nothing_is_read() -> None:
    sealed = AddressVault([OLD]).seal("signal", NUMBER)
    with pytest.raises(CannotDecrypt):
        AddressVault([NEW, FOREIGN]).unseal(sealed.text)


@pytest.mark.parametrize("change", [lambda text: text[:-2], lambda text: text[:40] + "AAAA" + text[44:], lambda _: ""])
def test_what_was_changed_at_rest_is_not_read(change: object) -> None:
    sealed = AddressVault([NEW]).seal("signal", NUMBER)
    with pytest.raises(CannotDecrypt):
        AddressVault([NEW]).unseal(change(sealed.text))  # type: ignore[operator]


def test_an_installation_has_the_keys_that_its_settings_name_the_newest_first() -> None:
    settings = make_settings(contact_encryption_key=f" {NEW} , {CONTACT_KEY},")
    assert settings.contact_keys == (NEW, CONTACT_KEY)
    vault = vault_from_settings(settings)
    assert vault is not None
    assert AddressVault([NEW]).unseal(vault.seal("signal", NUMBER).text) == NUMBER
    assert vault.unseal(AddressVault([CONTACT_KEY]).seal("signal", NUMBER).text) == NUMBER


def test_without_a_key_there_is_no_vault() -> None:
    assert vault_from_settings(make_settings(contact_encryption_key="")) is None
