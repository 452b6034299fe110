"""Sealing: secrets that the installation must be able to read again, so that whoever has only the store cannot.

AES-256-GCM with a key of the environment. What a secret is for is sealed with it (associated data): one that is put in
another's place does not open.
"""

from __future__ import annotations

import os
from base64 import urlsafe_b64decode, urlsafe_b64encode

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from events.core.errors import KlatschError
from infra.base.settings import Settings

#: First byte of what is sealed: another way to seal takes another.
_VERSION = b"\x01"
#: NIST SP 800-38D 8.2: 96 random bits, good for 2^32 secrets under one key.
_NONCE = 12


class SealBroken(KlatschError):
    """A sealed secret that does not open; the text says which, never what it holds."""


class Sealer:
    """Seals and opens with the installation's key."""

    def __init__(self, settings: Settings) -> None:
        # A key of its own and one that is derived never are the same, whatever somebody sets.
        source, info = (
            (settings.sealing_key, b"klatsch sealing key")
            if settings.sealing_key
            else (settings.secret, b"klatsch sealing key from the secret")
        )
        self._cipher = AESGCM(HKDF(SHA256(), 32, None, info).derive(bytes.fromhex(source)))

    def seal(self, secret: bytes, *, id: str, app: str) -> str:
        """The secret, sealed as that of ``id`` in the vault and of an application, as text."""
        nonce = os.urandom(_NONCE)
        whole = _VERSION + nonce + self._cipher.encrypt(nonce, secret, _about(id, app))
        return urlsafe_b64encode(whole).decode()

    def open(self, sealed: str, *, id: str, app: str) -> bytes:
        """The inverse. Raises SealBroken for what was sealed with another key, or as something else."""
        try:
            whole = urlsafe_b64decode(sealed)
            if whole[:1] != _VERSION:
                raise ValueError("version")
            return self._cipher.decrypt(whole[1 : 1 + _NONCE], whole[1 + _NONCE :], _about(id, app))
        # What the library or the text says of it stays out of logs.
        except (InvalidTag, ValueError):
            raise SealBroken(
                f"secret {id} of application {app}: expected it to be sealed with this installation's key, it does not "
                "open: set KLATSCH_SEALING_KEY or KLATSCH_SECRET to what it was, or roll the application's key"
            ) from None


def _about(id: str, app: str) -> bytes:
    # Ids have no such character.
    return f"{id}/{app}".encode()
