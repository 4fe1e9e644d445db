"""A test mail after a resync: does it leave, and where it goes to one of our mailboxes, does it arrive (R18)?

It belongs to nobody's campaign: no prospect, figure or limit hears of it (R225). Its Message-ID is that of a check
mail, so that no stream ever shows it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Final

from core.domain.account import SEATED_STATUSES, Mailbox, MailboxEvent, transition
from core.domain.actor import Actor, require_mailbox
from core.domain.address import domain_of, is_valid, match_key, normalised_key
from core.domain.compose import Letter, compose
from core.domain.diagnosis import Diagnosis
from core.domain.moment import iso
from core.errors import InputError, MailError, NotFoundError, OutcomeUnknownError, RefusedError, SealedError
from core.ports.mail import MailboxClient, MailboxConnector
from core.services.diagnose import diagnose_error
from core.services.mailboxes import endpoint_imap, get_mailbox
from core.services.received import CHECK_MAIL_PREFIX
from core.services.submission import Submission
from core.services.tools import Tools

LOOK_FOR_S: Final = 60.0
"""Seconds within which a test mail to one of our own mailboxes is looked for there."""
_LOOK_EVERY_S: Final = 2.0
_WHERE: Final = frozenset({"inbox", "junk", "all"})
_TEXT: Final = (
    "This is a test mail from Rethread, sent from {sender} to {to} because somebody asked whether sending works. "
    "It belongs to no campaign and can be deleted."
)


@dataclass(frozen=True, slots=True)
class TrialResult:
    """What became of a test mail. ``raw`` is the server's own answer; ``title`` and ``fix`` are words for people, with
    the whole ``diagnosis`` where it did not go. ``arrived`` None: nobody looked, because the target is none of our
    mailboxes or could not be opened; ``arrived_in`` is the folder."""

    sent: bool
    to: str
    message_id: str
    title: str
    raw: str = ""
    fix: str = ""
    diagnosis: Diagnosis | None = None
    arrived: bool | None = None
    arrived_in: str = ""
    arrival: str = ""


class TrialMail:
    """Use case of whoever wants to know whether a mailbox sends. ``look_for_s`` is how long the mail is looked for."""

    def __init__(
        self, tools: Tools, connector: MailboxConnector, submission: Submission, *, look_for_s: float = LOOK_FOR_S
    ) -> None:
        self._tools = tools
        self._connector = connector
        self._submission = submission
        self._look_for_s = look_for_s

    async def send_test(self, actor: Actor, mailbox_id: str, to: str | None = None) -> TrialResult:
        """To ``to``, else to another connected mailbox, of the same person if there is one.

        Raises RefusedError for the mailbox's own address in whatever spelling and for a mailbox that does not send,
        InputError, NotAllowedError, NotFoundError.
        """
        async with self._tools.store.read(actor.workspace) as uow:
            sender = await get_mailbox(uow, mailbox_id)
            require_mailbox(actor, sender)
            others = [one for one in await uow.mailboxes.list() if one.id != sender.id]
        _require_sending(sender)
        target = _target(sender, to, others)
        result = await self._sent(sender, target)
        await self._note(actor, sender, result)
        ours = next((one for one in others if match_key(one.address) == match_key(target)), None)
        return await self._looked_for(result, ours) if result.sent and ours else result

    async def _sent(self, sender: Mailbox, to: str) -> TrialResult:
        letter = self._letter(sender, to)
        try:
            credentials = await self._submission.credentials(sender)
            receipt = await self._submission.send(sender, credentials, to, compose(letter))
        except OutcomeUnknownError as error:
            title = "The mail server was silent: nobody knows whether it took the mail"
            fix = f"Look into {to}: if nothing is there in a few minutes, send another test."
            return TrialResult(False, to, letter.message_id, title, error.raw, fix, _judged(error, sender))
        except MailError as error:
            verdict = _judged(error, sender)
            return TrialResult(False, to, letter.message_id, verdict.title, verdict.raw, verdict.fix, verdict)
        return TrialResult(True, to, letter.message_id, "The mail server took it", receipt.reply)

    def _letter(self, sender: Mailbox, to: str) -> Letter:
        now = self._tools.clock.now()
        message_id = f"{CHECK_MAIL_PREFIX}test.{self._tools.new_id()}@{domain_of(sender.address)}"
        text = _TEXT.format(sender=sender.address, to=to)
        return Letter(
            sender=sender.address,
            sender_name=sender.display_name,
            recipient=to,
            recipient_name="",
            subject=f"Rethread test mail, {iso(now)}",
            text=text,
            html=f"<p>{text.replace('&', '&amp;').replace('<', '&lt;')}</p>",
            message_id=message_id,
            date=now,
            # Providers may replace a Message-ID; nobody's holiday notice shall answer.
            extra=(("X-Rethread-Canary", f"<{message_id}>"), ("Auto-Submitted", "auto-generated")),
        )

    async def _note(self, actor: Actor, sender: Mailbox, result: TrialResult) -> None:
        async with self._tools.store.write(sender.workspace) as uow:
            facts = {"to": result.to, "sent": result.sent}
            now = self._tools.clock.now()
            await uow.audit.add(at=now, actor=actor.user, action="mailbox.test", subject=sender.id, facts=facts)

    # Arrival

    async def _looked_for(self, result: TrialResult, target: Mailbox) -> TrialResult:
        if target.status not in SEATED_STATUSES:
            return replace(result, arrival=f"{target.address} is not synced now, so nobody looked for it there.")
        try:
            async with asyncio.timeout(self._look_for_s):
                folder, role = await self._found_in(target, result.message_id)
        except TimeoutError:
            words = f"It did not arrive in {target.address} within {self._look_for_s:g} s; mail may take minutes."
            return replace(result, arrived=False, arrival=words)
        except (MailError, NotFoundError, SealedError) as error:
            words = f"{target.address} could not be opened to look for it: {error.message}"
            return replace(result, arrival=words)
        spam = " (spam: mark it as wanted there)" if role == "junk" else ""
        words = f"It arrived in {target.address}, folder {folder}{spam}."
        return replace(result, arrived=True, arrived_in=folder, arrival=words)

    async def _found_in(self, target: Mailbox, message_id: str) -> tuple[str, str]:
        """(folder, role), over one short connection of its own. Raises MailError kinds, NotFoundError, SealedError."""
        async with self._tools.store.read(target.workspace) as uow:
            known = [(one.name, one.role) for one in await uow.folders.list(target.id) if one.role in _WHERE]
        credentials = await self._submission.credentials(target)
        client = await self._connector.connect(endpoint_imap(target), credentials)
        try:
            return await _until_there(client, message_id, known or [("INBOX", "inbox")])
        finally:
            await client.close()


async def _until_there(client: MailboxClient, message_id: str, folders: list[tuple[str, str]]) -> tuple[str, str]:
    while True:
        for name, role in folders:
            await client.select(name)
            if await client.search_message_id(message_id):
                return name, role
        await asyncio.sleep(_LOOK_EVERY_S)


def _require_sending(sender: Mailbox) -> None:
    transition(sender.status, MailboxEvent.RESYNC)  # refuses what is paused, disconnected or waits for a seat
    if not sender.send:
        raise RefusedError(
            f"Sending from {sender.address} is switched off.", reason="send_off", fix="Switch Send on, then test."
        )


def _target(sender: Mailbox, to: str | None, others: Iterable[Mailbox]) -> str:
    address = (to or "").strip()
    if not address:
        return _default(sender, others)
    if not is_valid(address):
        raise InputError(f"{address[:80]!r} is not an e-mail address", field="to")
    if normalised_key(address) == normalised_key(sender.address):
        raise _same(sender)
    return address


def _default(sender: Mailbox, others: Iterable[Mailbox]) -> str:
    """Another mailbox that is read, the same person's first."""
    usable = [
        one
        for one in others
        if one.status in SEATED_STATUSES and normalised_key(one.address) != normalised_key(sender.address)
    ]
    usable.sort(key=lambda one: (one.owner != sender.owner, one.light != "green", one.created_at, one.id))
    if not usable:
        raise RefusedError(
            "There is no other connected mailbox to send a test to.",
            reason="test_where",
            fix=f"Name an address elsewhere that you can look into, not {sender.address} itself.",
        )
    return usable[0].address


def _same(sender: Mailbox) -> RefusedError:
    return RefusedError(
        f"A test goes to another address: mail from {sender.address} to itself proves nothing.",
        reason="test_self",
        fix="Name an address elsewhere that you can look into.",
    )


def _judged(error: MailError, sender: Mailbox) -> Diagnosis:
    return diagnose_error(error, provider=sender.provider)
