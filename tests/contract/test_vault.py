"""Secrets at rest: what was changed, cut or moved does not open (threats T1, T2)."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from core.errors import StorageError
from core.ports.mail import Credentials
from storage.engine import open_store
from storage.vault import KeyRing, Sealed, Vault
from tests.stores import KEYS, NOW, SteadyClock, make_mailbox

SECRET = Credentials("rita", password="s3cret-pass", access_token="s3cret-token")
OLD, NEW = "an old key of at least thirty-two characters", "a new key of at least thirty-two characters"


def sealed_by(*keys: str) -> Sealed:
    return Vault(KeyRing(keys)).seal(SECRET, workspace="T1", row="mb1")


def opened(sealed: Sealed, *keys: str, workspace: str = "T1", row: str = "mb1") -> Credentials:
    return Vault(KeyRing(keys or (NEW,))).open(sealed, workspace=workspace, row=row)


def test_what_is_sealed_opens_again_and_never_looks_the_same() -> None:
    assert opened(sealed_by(NEW)) == SECRET
    assert sealed_by(NEW).data != sealed_by(NEW).data


def test_every_flipped_byte_is_refused() -> None:
    sealed = sealed_by(NEW)
    for position in range(len(sealed.data)):
        changed = bytearray(sealed.data)
        changed[position] ^= 1
        with pytest.raises(StorageError):
            opened(replace(sealed, data=bytes(changed)))


def test_every_truncation_is_refused() -> None:
    sealed = sealed_by(NEW)
    for length in range(len(sealed.data)):
        with pytest.raises(StorageError):
            opened(replace(sealed, data=sealed.data[:length]))


def test_a_secret_moved_to_another_row_or_workspace_does_not_open() -> None:
    sealed = sealed_by(NEW)
    with pytest.raises(StorageError):
        opened(sealed, row="mb2")
    with pytest.raises(StorageError):
        opened(sealed, workspace="T2")


def test_parts_do_not_run_into_each_other() -> None:
    """Workspace "T1" with row "2" is not workspace "T" with row "12"."""
    sealed = Vault(KeyRing([NEW])).seal(SECRET, workspace="T1", row="2")
    with pytest.raises(StorageError):
        opened(sealed, workspace="T", row="12")


def test_an_old_key_still_opens_and_the_newest_seals() -> None:
    old = sealed_by(OLD)
    assert opened(old, NEW, OLD) == SECRET
    assert sealed_by(NEW, OLD).key_id == KeyRing([NEW]).current != old.key_id


def test_a_key_taken_away_too_early_is_named() -> None:
    old = sealed_by(OLD)
    with pytest.raises(StorageError, match=old.key_id):
        opened(old, NEW)
    with pytest.raises(StorageError):
        opened(replace(old, key_id=KeyRing([NEW]).current), NEW)


def test_a_ring_needs_a_key() -> None:
    with pytest.raises(StorageError):
        KeyRing([])


def test_no_representation_shows_a_secret() -> None:
    ring = KeyRing([NEW, OLD])
    shown = repr((ring, Vault(ring), SECRET, sealed_by(NEW), ring.ids))
    assert not any(secret in shown for secret in (NEW, OLD, "s3cret", "rita-secret"))


def contents_of(folder: Path) -> list[bytes]:
    return [path.read_bytes() for path in folder.iterdir() if path.is_file()]


async def test_the_database_file_holds_no_secret_in_the_clear(sqlite_url: str, tmp_path: Path) -> None:
    async with await open_store(sqlite_url, keys=KEYS, clock=SteadyClock()) as store:
        async with store.write("T1") as uow:
            await uow.mailboxes.add(make_mailbox(created_at=NOW))
            await uow.mailboxes.put_credentials("mb1", SECRET)
        files = contents_of(tmp_path)
    assert any(b"imap.agency.test" in content for content in files)
    assert not any(b"s3cret" in content or KEYS[0].encode() in content for content in files)
