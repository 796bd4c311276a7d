"""Seals addresses at rest: encrypted with the first key, readable with any, found again by a keyed hash."""

import base64
import hashlib
import hmac
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from slomix.config.settings import Settings


class CannotDecrypt(Exception):
    """None of our keys opens this: the key it was sealed with is gone."""


@dataclass(frozen=True)
class SealedAddress:
    """An address as it is stored: unreadable without a key, and found by its hash."""

    text: str
    address_hash: str


class AddressVault:
    """The keys of one installation, the newest first."""

    def __init__(self, keys: Sequence[str]) -> None:
        self._keys = tuple(keys)

    def seal(self, channel: str, address: str) -> SealedAddress:
        """Seal an address for storing. The hash differs between channels, so that it does not show which share one."""
        return SealedAddress(self._fernet.encrypt(address.encode()).decode(), self.hashes(channel, address)[0])

    def unseal(self, text: str) -> str:
        """Return the address. Raise CannotDecrypt when its key is gone."""
        try:
            return self._fernet.decrypt(text.encode()).decode()
        except InvalidToken as error:
            raise CannotDecrypt from error

    def hashes(self, channel: str, address: str) -> list[str]:
        """Return the hashes that this address may be stored under: by the newest key, then by the older ones."""
        message = f"{channel}:{address}".encode()
        return [hmac.new(key, message, hashlib.sha256).hexdigest() for key in self._hash_keys]

    @cached_property
    def _fernet(self) -> MultiFernet:
        return MultiFernet([Fernet(key) for key in self._keys])

    @cached_property
    def _hash_keys(self) -> list[bytes]:
        """Derive the keys of the hashes, as a key should serve a single purpose."""
        return [
            HKDF(algorithm=SHA256(), length=32, salt=None, info=b"slomix contact hash").derive(
                base64.urlsafe_b64decode(key)
            )
            for key in self._keys
        ]


@lru_cache(maxsize=8)
def _vault(keys: tuple[str, ...]) -> AddressVault:
    return AddressVault(keys)


def vault_from_settings(settings: Settings) -> AddressVault | None:
    """Return the vault of this installation, or None without a key: addresses can then be neither stored nor read."""
    keys = settings.contact_keys
    return _vault(keys) if keys else None
