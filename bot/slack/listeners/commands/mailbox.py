"""/mailbox: from a parsed request to the card that answers it."""

from __future__ import annotations

from collections.abc import Sequence

from bot.slack import command_parser as asked
from bot.slack.blocks import answers, domain_check, mailbox_status
from bot.slack.blocks.help import explained
from bot.slack.blocks.kit import Card
from bot.slack.uses import Connect, Services
from core.domain.account import Mailbox, MailboxStatus
from core.domain.actor import Actor
from core.errors import RefusedError, RethreadError

_BROKEN = (MailboxStatus.ERROR, MailboxStatus.CONNECTION_ISSUE, MailboxStatus.PARTIAL)


class MailboxCommand:
    """Everything that /mailbox can answer."""

    def __init__(self, services: Services, connect: Connect) -> None:
        self._services = services
        self._mailboxes, self._settings, self._domains = services.mailboxes, services.settings, services.domains
        self._connect = connect

    async def answer(self, actor: Actor, request: asked.MailboxRequest) -> Card:
        """Raises RethreadError kinds; the desk tells them."""
        match request:
            case asked.Help() | asked.Hint():
                return explained(request)
            case asked.MailboxStatus():
                return await self._status(actor, request)
            case asked.ConnectMailbox(address):
                return await self._link(actor, address)
            case asked.ResyncMailbox():
                return await self._resync(actor, request)
            case asked.DisconnectMailbox(address):
                return answers.ask_disconnect(await self._mailboxes.find(actor, address))
            case asked.MailboxLog() | asked.CheckDomain():
                return await self._look_into(actor, request)
            case asked.ShowSettings() | asked.ChangeSetting():
                return await self._setting(actor, request)
            case asked.RefreshMailbox() | asked.PauseMailbox() | asked.ResumeMailbox():
                return await self._simple(actor, request)

    async def _status(self, actor: Actor, request: asked.MailboxStatus) -> Card:
        if request.address:
            return mailbox_status.mailbox_detail(await self._mailboxes.find(actor, request.address))
        if request.everybody:
            return mailbox_status.mailbox_list("All mailboxes", await self._mailboxes.list(actor))
        if request.owner:
            theirs = [one for one in await self._mailboxes.list(actor) if one.owner == request.owner]
            return mailbox_status.mailbox_list("Their mailboxes", theirs)
        return mailbox_status.mailbox_list("Your mailboxes", await self._mailboxes.list(actor, mine=True))

    async def _link(self, actor: Actor, address: str | None) -> Card:
        return await connect_link(self._services, self._connect, actor, address)

    async def _resync(self, actor: Actor, request: asked.ResyncMailbox) -> Card:
        if request.everything:
            return _resyncing(await self._mailboxes.resync_all(actor))
        if request.address:
            mailbox = await self._mailboxes.find(actor, request.address)
            await self._mailboxes.request_resync(actor, mailbox.id)
            return _resyncing([mailbox])
        return await self._resync_mine(actor)

    async def _resync_mine(self, actor: Actor) -> Card:
        """The broken ones; a person with one mailbox means that one, whatever its state."""
        mine = await self._mailboxes.list(actor, mine=True)
        wanted = mine if len(mine) == 1 else [one for one in mine if one.status in _BROKEN]
        if len(wanted) == 1:
            await self._mailboxes.request_resync(actor, wanted[0].id)
            return _resyncing(wanted)
        outcomes: dict[str, str] = {}
        for mailbox in wanted:
            outcomes[mailbox.address] = await self._try_resync(actor, mailbox)
        if not outcomes:
            return answers.said("None of your mailboxes is broken: there is nothing to resync.")
        return mailbox_status.outcomes("Resync", outcomes)

    async def _try_resync(self, actor: Actor, mailbox: Mailbox) -> str:
        try:
            await self._mailboxes.request_resync(actor, mailbox.id)
        except RethreadError as refused:
            return refused.message
        return "trying to reach it now"

    async def _look_into(self, actor: Actor, request: asked.MailboxLog | asked.CheckDomain) -> Card:
        if isinstance(request, asked.CheckDomain):
            return await self._check(actor, request.domain)
        mailbox = await self._one(actor, request.address)
        return mailbox_status.mailbox_log(mailbox, await self._mailboxes.log(actor, mailbox.id))

    async def _check(self, actor: Actor, domain: str | None) -> Card:
        """Public records, so anybody may look at any domain's."""
        if domain:
            return domain_check.domain_report(await self._domains.check_domain(domain))
        mailbox = await self._one(actor, None)
        report = await self._domains.check_domain(mailbox.address, connected=mailbox.provider)
        return domain_check.domain_report(report)

    async def _setting(self, actor: Actor, request: asked.ShowSettings | asked.ChangeSetting) -> Card:
        if isinstance(request, asked.ShowSettings):
            lines = await self._settings.show(actor)
            return mailbox_status.settings_list([(line.setting, line.value, line.is_default) for line in lines])
        changed = await self._settings.set(actor, request.key, request.value)
        return mailbox_status.setting_changed(changed.setting, changed.value, changed.is_default)

    async def _simple(
        self, actor: Actor, request: asked.RefreshMailbox | asked.PauseMailbox | asked.ResumeMailbox
    ) -> Card:
        mailbox = await self._one(actor, request.address)
        match request:
            case asked.RefreshMailbox():
                await self._mailboxes.refresh(actor, mailbox.id)
                done = "new mail is being read now."
            case asked.PauseMailbox():
                await self._mailboxes.pause(actor, mailbox.id)
                done = "paused; nothing is read or sent until /mailbox resume."
            case asked.ResumeMailbox():
                await self._mailboxes.resume(actor, mailbox.id)
                done = "resumed; connecting now."
        return answers.said(f"{mailbox.address}: {done}")

    async def _one(self, actor: Actor, address: str | None) -> Mailbox:
        """The mailbox named, or the person's only one. Raises NotFoundError, RefusedError."""
        if address:
            return await self._mailboxes.find(actor, address)
        mine = await self._mailboxes.list(actor, mine=True)
        if len(mine) == 1:
            return mine[0]
        if not mine:
            raise RefusedError("You have no mailbox connected.", reason="no_mailbox", fix="Type /mailbox connect.")
        names = ", ".join(mailbox.address for mailbox in mine[:5])
        raise RefusedError("You have several mailboxes; name one.", reason="which_mailbox", fix=f"One of: {names}.")


async def connect_link(services: Services, connect: Connect, actor: Actor, address: str | None) -> Card:
    """A private link to the one-time page: for a new mailbox, or to give a known one a new password."""
    if address is None:
        token = await services.connecting.issue_ticket(actor)
        return answers.connect_link(connect.page(token, actor), None, secure=connect.secure)
    known = next((one for one in await services.mailboxes.list(actor) if one.address.lower() == address.lower()), None)
    token = await services.connecting.issue_ticket(actor, known.id if known else None)
    return answers.connect_link(connect.page(token), known.address if known else None, secure=connect.secure)


def _resyncing(mailboxes: Sequence[Mailbox]) -> Card:
    names = [mailbox.address for mailbox in mailboxes]
    if not names:
        return answers.said(
            "Nothing to resync: no broken mailbox that is yours to mend, or they are being tried already."
        )
    return answers.said(f"Resync started: {', '.join(names[:10])}{' and more' if len(names) > 10 else ''}.")
