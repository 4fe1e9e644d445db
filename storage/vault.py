"""Secrets at rest: AES-256-GCM under a key of the workspace, bound to the row they belong to (threats T1, T2).

A sealed value moved to another row, table or workspace does not open: all three are associated data, and the
workspace is also in the key. Layout: version (1 byte), nonce (12), ciphertext with its 16-byte tag.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Sequence
from dataclasses import asdict, dataclass

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from core.domain.moment import iso, parse_iso
from core.errors import SealedError, StorageError
from core.ports.mail import Credentials

_VERSION = b"\x01"
_NONCE_BYTES = 12
_TABLE = "credentials"


@dataclass(frozen=True, slots=True)
class Sealed:
    """A sealed value and the name of the key it was sealed with."""

    key_id: str
    data: bytes


class KeyRing:
    """The secret texts of ``RETHREAD_SECRET_KEYS``, newest first: the first seals, all of them open."""

    def __init__(self, texts: Sequence[str]) -> None:
        """Raises StorageError where there is no key."""
        if not texts:
            raise StorageError("There is no key to seal credentials with.", fix="Set RETHREAD_SECRET_KEYS.")
        self._texts = {_key_id(text): text for text in texts}
        self.current = _key_id(texts[0])

    def __repr__(self) -> str:
        return f"KeyRing({', '.join(self._texts)})"

    @property
    def ids(self) -> tuple[str, ...]:
        """Names of the keys, newest first; they tell nothing about the keys."""
        return tuple(self._texts)

    def key(self, key_id: str, workspace: str) -> bytes:
        """256 bits for one workspace (HKDF, RFC 5869). Raises SealedError where the key is not on the ring."""
        if key_id not in self._texts:
            raise SealedError(
                f"The secret is sealed with the key {key_id}, which is not among the keys given.",
                fix="Put the earlier key back at the end of RETHREAD_SECRET_KEYS.",
            )
        derive = HKDF(algorithm=SHA256(), length=32, salt=None, info=_framed("rethread vault", workspace))
        return derive.derive(self._texts[key_id].encode())


class Vault:
    """Seals and opens mailbox credentials."""

    def __init__(self, ring: KeyRing) -> None:
        self._ring = ring

    def __repr__(self) -> str:
        return f"Vault({self._ring!r})"

    def seal(self, credentials: Credentials, *, workspace: str, row: str) -> Sealed:
        key_id = self._ring.current
        nonce = os.urandom(_NONCE_BYTES)
        plain = json.dumps(asdict(credentials) | {"expires_at": iso(credentials.expires_at)}).encode()
        sealed = AESGCM(self._ring.key(key_id, workspace)).encrypt(nonce, plain, _bound_to(workspace, row))
        return Sealed(key_id, _VERSION + nonce + sealed)

    def open(self, sealed: Sealed, *, workspace: str, row: str) -> Credentials:
        """Raises SealedError where the key is missing or the value was changed, cut or moved."""
        version, nonce, data = sealed.data[:1], sealed.data[1 : 1 + _NONCE_BYTES], sealed.data[1 + _NONCE_BYTES :]
        key = self._ring.key(sealed.key_id, workspace)
        if version != _VERSION or len(nonce) != _NONCE_BYTES:
            raise _does_not_open()
        try:
            plain = AESGCM(key).decrypt(nonce, data, _bound_to(workspace, row))
        except InvalidTag:
            raise _does_not_open() from None
        values = json.loads(plain)
        return Credentials(**values | {"expires_at": parse_iso(values.get("expires_at"))})


def _does_not_open() -> SealedError:
    return SealedError(
        "The stored credentials do not open: they were changed, or belong to another row.",
        fix="Connect the mailbox again.",
    )


def _key_id(text: str) -> str:
    return hashlib.sha256(_framed("rethread key id", text)).hexdigest()[:12]


def _bound_to(workspace: str, row: str) -> bytes:
    return _framed(_TABLE, workspace, row)


def _framed(*parts: str) -> bytes:
    """Each part with its length before it, so that no two lists of parts look alike."""
    encoded = [part.encode() for part in parts]
    return b"".join(len(part).to_bytes(4, "big") + part for part in encoded)
