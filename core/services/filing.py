"""Files copies of sent mail in the Sent folder of mailboxes whose host keeps none of what it takes by SMTP.

Which host does, its provider's facts say, or its first mail shows: what lies in Sent some minutes after the server took
it was put there by the host, and nothing is filed there ever. Where it is missing the copies are ours from then on;
that is stored before the first of them, for a copy of ours proves nothing about a mail whose outcome is unknown.
Each mail is searched for before it is filed, so that no crash makes two of it. No failure changes what was sent.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final

import structlog

from core.domain.account import SYNCED_STATUSES, Mailbox, MailboxStatus
from core.domain.providers import facts
from core.errors import MailError, NotFoundError, SealedError, ServerRefusedError
from core.ports.filing import Filing, FilingHabit, SentMail
from core.ports.mail import MailboxClient, MailboxConnector
from core.services.credentials import CredentialService
from core.services.mailboxes import endpoint_imap
from core.services.tools import Tools

SETTLES: Final = timedelta(minutes=2)
"""A host that files by itself has done so after this time."""
LOOKS_BACK: Final = timedelta(days=1)
"""Older mail is not filed any more."""
AT_ONCE: Final = 20
_LEASE: Final = timedelta(hours=1)
_PAUSE: Final = timedelta(minutes=10)

_log = structlog.get_logger("filing")


class FilingService:
    """Use case of the worker that files copies."""

    def __init__(self, tools: Tools, connector: MailboxConnector, credentials: CredentialService) -> None:
        self._tools = tools
        self._connector = connector
        self._credentials = credentials

    async def file_due(self, workspace: str) -> int:
        """One batch for each mailbox that has something to file; returns for how many that was done or tried."""
        now = self._tools.clock.now()
        due = await self._due(workspace, now)
        for mailbox in due:
            try:
                await self._file(mailbox)
            except Exception:
                _log.exception("filing_failed", action="filing_failed", workspace=workspace, mailbox=mailbox.id)
        return len(due)

    async def _due(self, workspace: str, now: datetime) -> list[Mailbox]:
        async with self._tools.store.read(workspace) as uow:
            mailboxes = {one.id: one for one in await uow.mailboxes.list() if _may_need_copies(one)}
            known = await uow.filings.of(mailboxes)
            ours = [one for one in mailboxes if one not in known or _is_due(known[one], now)]
            newest = await uow.filings.newest(ours, after=now - LOOKS_BACK, before=now - SETTLES)
        return [mailboxes[one] for one, at in newest.items() if one not in known or _is_behind(known[one], at)]

    async def _file(self, mailbox: Mailbox) -> None:
        now = self._tools.clock.now()
        begin = Filing(mailbox.id, FilingHabit.UNKNOWN, now - LOOKS_BACK, "", now)
        async with self._tools.store.write(mailbox.workspace) as uow:
            filing = await uow.filings.take(begin, now=now, until=now + _LEASE)
            mails = await uow.filings.mails(filing, before=now - SETTLES, limit=AT_ONCE) if filing else []
        if filing is None:
            return
        try:
            filing = await self._file_in(mailbox, filing, mails)
        except (MailError, NotFoundError, SealedError) as error:
            _log.warning("not_filed", action="not_filed", mailbox=mailbox.id, error=type(error).__name__)
            await self._pause(mailbox)
        else:
            if len(mails) < AT_ONCE:  # nothing more up to there, also of what has no text any more
                filing = replace(filing, through_at=max(filing.through_at, now - SETTLES), through_id="")
            await self._save(mailbox, replace(filing, not_before=now))

    async def _file_in(self, mailbox: Mailbox, filing: Filing, mails: Sequence[SentMail]) -> Filing:
        """Over one short connection of its own. Raises MailError kinds, NotFoundError, SealedError."""
        credentials = await self._credentials.of(mailbox.workspace, mailbox)
        client = await self._connector.connect(endpoint_imap(mailbox), credentials)
        try:
            sent = next((one.name for one in await client.list_folders() if one.role == "sent"), None)
            if sent is None:
                raise NotFoundError("The mailbox has no Sent folder.")
            await client.select(sent)
            for mail in mails:
                there = bool(await client.search_message_id(mail.message_id))
                if filing.habit is FilingHabit.UNKNOWN:
                    filing = replace(filing, habit=FilingHabit.HOST if there else FilingHabit.OURS)
                    await self._save(mailbox, filing)
                if filing.habit is FilingHabit.HOST:
                    return filing
                if not there:
                    await _append(client, sent, mail)
                filing = replace(filing, through_at=mail.sent_at, through_id=mail.delivery_id)
                await self._save(mailbox, filing)
        finally:
            await client.close()
        return filing

    async def _save(self, mailbox: Mailbox, filing: Filing) -> None:
        async with self._tools.store.write(mailbox.workspace) as uow:
            await uow.filings.save(filing)

    async def _pause(self, mailbox: Mailbox) -> None:
        """What was filed before the failure stays so."""
        async with self._tools.store.write(mailbox.workspace) as uow:
            known = (await uow.filings.of([mailbox.id])).get(mailbox.id)
            if known is not None:
                await uow.filings.save(replace(known, not_before=self._tools.clock.now() + _PAUSE))


async def _append(client: MailboxClient, folder: str, mail: SentMail) -> None:
    """A copy that the server does not want (too large, no room) is left out. Raises ConnectionLostError."""
    try:
        await client.append(folder, mail.raw)
    except ServerRefusedError as error:
        _log.warning("copy_refused", action="copy_refused", delivery=mail.delivery_id, words=error.raw[:200])


def _may_need_copies(mailbox: Mailbox) -> bool:
    synced = mailbox.status in SYNCED_STATUSES and mailbox.status is not MailboxStatus.CONNECTION_ISSUE
    return synced and mailbox.capture and not facts(mailbox.provider).files_sent_copies


def _is_behind(filing: Filing, newest: datetime) -> bool:
    """In the midst of a moment there may be more mails of that moment."""
    return newest > filing.through_at or bool(filing.through_id and newest == filing.through_at)


def _is_due(filing: Filing, now: datetime) -> bool:
    return filing.habit is not FilingHabit.HOST and filing.not_before <= now
