"""A password as Postgres keeps it: from it nobody can tell the password, so no log of the server ever holds one."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from base64 import b64encode

#: As Postgres has it by default (``scram_iterations``).
ITERATIONS = 4096


def verifier(password: str, salt: bytes = b"") -> str:
    """The SCRAM-SHA-256 verifier (RFC 5802 3, in Postgres' form) of an ASCII password; the salt is random if not given.

    Raises ValueError for a password that is not ASCII: such would have to be normalised first.
    """
    if not password.isascii() or not password:
        raise ValueError(f"expected a password of ASCII, got one of {len(password)} characters that is not")
    salt = salt or secrets.token_bytes(16)
    salted = hashlib.pbkdf2_hmac("sha256", password.encode(), salt, ITERATIONS)
    stored = hashlib.sha256(hmac.digest(salted, b"Client Key", "sha256")).digest()
    server = hmac.digest(salted, b"Server Key", "sha256")
    return f"SCRAM-SHA-256${ITERATIONS}:{_text(salt)}${_text(stored)}:{_text(server)}"


def _text(value: bytes) -> str:
    return b64encode(value).decode()
