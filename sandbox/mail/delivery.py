"""Carries accepted mail: into Sent, into mailboxes, or back to the sender as a bounce."""

import asyncio
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import format_datetime, make_msgid

from pymap.parsing.message import AppendMessage
from pymap.parsing.specials.flag import Flag, Seen

from sandbox.mail.accounts import Account, Directory, domain_of, normalised
from sandbox.mail.autoreply import automatic_reply
from sandbox.mail.dsn import MAILBOX_FULL, UNKNOWN_DOMAIN, UNKNOWN_USER, Failure, failure_report
from sandbox.mail.imap_store import FolderSet, StoredMail
from sandbox.mail.message import ReadableMail

_DELAYED_REFUSALS = {"bounce": UNKNOWN_USER, "full": MAILBOX_FULL}


@dataclass(frozen=True, slots=True)
class Filing:
    """One mail on its way into a folder."""

    raw: bytes
    folder: str = "INBOX"
    flags: frozenset[Flag] = frozenset()


class Delivery:
    """Moves mail between the mailboxes of the host."""

    def __init__(self, directory: Directory, folders: dict[str, FolderSet]) -> None:
        self._directory = directory
        self._folders = folders
        self._held: dict[str, list[Filing]] = {}
        self._releasing: set[asyncio.Task[None]] = set()

    async def carry(self, sender: str, rcpts: tuple[str, ...], raw: bytes) -> bytes:
        """Files ``raw`` into the sender's Sent folder and hands it to each recipient.

        Returns the mail as it was sent on: with a Message-ID, the given one where there was one.
        """
        raw = _with_message_id(raw, sender)
        account = self._directory.find(sender)
        if account is not None and account.files_sent:
            await self._file(account, Filing(raw, "Sent", frozenset({Seen})))
        for rcpt in rcpts:
            await self._hand_over(sender, rcpt, raw)
        return raw

    async def store(
        self, account: Account, raw: bytes, folder: str = "INBOX", flags: frozenset[Flag] = frozenset()
    ) -> StoredMail:
        """Appends to a folder, as it is.

        Raises:
            KeyError: the account has no such folder.
        """
        box = self._folders[account.address].folder(folder)
        return StoredMail.of(await box.append(AppendMessage(raw, datetime.now(UTC), flags)))

    def release(self, account: Account) -> asyncio.Task[None]:
        """Begins to file what was held back while the account was frozen."""
        task = asyncio.create_task(self._file_held(account))
        self._releasing.add(task)
        task.add_done_callback(self._releasing.discard)
        return task

    async def _file_held(self, account: Account) -> None:
        for filing in self._held.pop(account.address, []):
            await self._file(account, filing)

    async def _file(self, account: Account, filing: Filing) -> None:
        if account.faults.frozen:
            self._held.setdefault(account.address, []).append(filing)
        else:
            await self.store(account, filing.raw, filing.folder, filing.flags)

    async def _hand_over(self, sender: str, rcpt: str, raw: bytes) -> None:
        account = self._directory.find(rcpt)
        failure = self._failure(rcpt, account)
        if failure is not None:
            await self._bounce(sender, rcpt, failure, raw)
        elif account is None:
            self._directory.catch_all_counts[normalised(rcpt)] += 1
        else:
            await self._file(account, Filing(_trace(sender, rcpt) + raw))
            answer = automatic_reply(account, normalised(sender), raw)
            if answer is not None:
                await self.carry(account.address, (sender,), answer)

    def _failure(self, rcpt: str, account: Account | None) -> Failure | None:
        refused = _DELAYED_REFUSALS.get(self._directory.refusal(rcpt))
        if account is not None and account.faults.folder == "full":
            refused = MAILBOX_FULL
        if refused or account or self._directory.catches_all(rcpt):
            return refused
        return UNKNOWN_USER if self._directory.hosts(domain_of(rcpt)) else UNKNOWN_DOMAIN

    async def _bounce(self, sender: str, rcpt: str, failure: Failure, raw: bytes) -> None:
        account = self._directory.find(sender)
        if account is not None:
            report = failure_report(domain_of(account.address), sender, rcpt, failure, raw)
            await self._file(account, Filing(report))


def _with_message_id(raw: bytes, sender: str) -> bytes:
    if ReadableMail(raw).message_id:
        return raw
    return f"Message-ID: {make_msgid(domain=domain_of(sender) or None)}\r\n".encode() + raw


def _trace(sender: str, rcpt: str) -> bytes:
    """The trace headers of RFC 5321 section 4.4."""
    lines = (
        f"Return-Path: <{sender}>",
        f"Delivered-To: {rcpt}",
        f"Received: from client.agency.test by mail.agency.test with ESMTPSA; {format_datetime(datetime.now(UTC))}",
    )
    return "".join(f"{line}\r\n" for line in lines).encode("utf-8", "surrogateescape")
