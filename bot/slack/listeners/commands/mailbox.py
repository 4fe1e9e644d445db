"""/mailbox: from a parsed request to the card that answers it."""

from __future__ import annotations

from collections.abc import Sequence

from bot.slack import command_parser as asked
from bot.slack.blocks import answers, mailbox_status, settings_list
from bot.slack.blocks.help import explained
from bot.slack.blocks.kit import Card
from bot.slack.blocks.mailbox_words import BROKEN
from bot.slack.blocks.signature_form import signature_form
from bot.slack.listeners.commands.looking_into import LookingInto
from bot.slack.listeners.connecting import ConnectLinks
from bot.slack.listeners.mailbox_facts import MailboxFacts, latest_error, one_mailbox
from bot.slack.uses import Answer, Connect, Desk, Services
from core.domain.account import Mailbox, MailboxStatus
from core.domain.actor import Actor, require_mailbox
from core.errors import RethreadError

Simple = asked.EditSignature | asked.RefreshMailbox | asked.PauseMailbox | asked.ResumeMailbox | asked.SwitchMailbox


class MailboxCommand:
    """Everything that /mailbox can answer."""

    def __init__(self, desk: Desk, services: Services, connect: Connect) -> None:
        self._mailboxes, self._settings = services.mailboxes, services.settings
        self._facts, self._links = MailboxFacts(services), ConnectLinks(services, connect)
        self._looking = LookingInto(desk, services)

    async def answer(self, actor: Actor, request: asked.MailboxRequest) -> Answer:
        """Raises RethreadError kinds; the desk tells them."""
        match request:
            case asked.Help() | asked.Hint():
                return explained(request)
            case asked.MailboxStatus():
                return await self._status(actor, request)
            case asked.ConnectMailbox(address):
                return await self._links.for_address(actor, address)
            case asked.ResyncMailbox():
                return await self._resync(actor, request)
            case asked.DisconnectMailbox(address):
                return answers.ask_disconnect(await self._mailboxes.find(actor, address))
            case asked.MailboxLog() | asked.CheckDomain() | asked.TryMailbox() | asked.EscalateMailbox():
                return await self._looking.answer(actor, request)
            case asked.ShowSettings() | asked.ChangeSetting():
                return await self._setting(actor, request)
            case _:
                return await self._simple(actor, request)

    async def _status(self, actor: Actor, request: asked.MailboxStatus) -> Card:
        if request.address:
            mailbox = await self._mailboxes.find(actor, request.address)
            around = await self._facts.around(actor, [mailbox])
            return mailbox_status.mailbox_detail(mailbox, around, await latest_error(self._mailboxes, actor, mailbox))
        if request.everybody:
            return await self._listed(actor, "All mailboxes", await self._mailboxes.list(actor), everybody=True)
        if request.owner:
            theirs = [one for one in await self._mailboxes.list(actor) if one.owner == request.owner]
            return await self._listed(actor, "Their mailboxes", theirs)
        return await self._listed(actor, "Your mailboxes", await self._mailboxes.list(actor, mine=True))

    async def _listed(self, actor: Actor, title: str, shown: Sequence[Mailbox], *, everybody: bool = False) -> Card:
        return mailbox_status.mailbox_list(title, shown, await self._facts.around(actor, shown, everybody=everybody))

    async def _resync(self, actor: Actor, request: asked.ResyncMailbox) -> Card:
        if request.everything:
            return _resyncing(await self._mailboxes.resync_all(actor))
        if request.address:
            mailbox = await self._mailboxes.find(actor, request.address)
            return answers.resyncing(await self._mailboxes.request_resync(actor, mailbox.id))
        return await self._resync_mine(actor)

    async def _resync_mine(self, actor: Actor) -> Card:
        """The broken ones; a person with one mailbox means that one, whatever its state."""
        mine = await self._mailboxes.list(actor, mine=True)
        wanted = mine if len(mine) == 1 else [one for one in mine if one.status in BROKEN]
        if len(wanted) == 1:
            return answers.resyncing(await self._mailboxes.request_resync(actor, wanted[0].id))
        outcomes: dict[str, str] = {}
        for mailbox in wanted:
            outcomes[mailbox.address] = await self._try_resync(actor, mailbox)
        if not outcomes:
            return answers.said("None of your mailboxes is broken: there is nothing to resync.")
        return mailbox_status.outcomes("Resync", outcomes)

    async def _try_resync(self, actor: Actor, mailbox: Mailbox) -> str:
        try:
            asked_for = await self._mailboxes.request_resync(actor, mailbox.id)
        except RethreadError as refused:
            return refused.message
        if asked_for.status is MailboxStatus.PENDING:
            return "waits for a free seat"
        return "trying to reach it now"

    async def _setting(self, actor: Actor, request: asked.ShowSettings | asked.ChangeSetting) -> Card:
        if isinstance(request, asked.ShowSettings):
            lines = await self._settings.show(actor)
            return settings_list.settings_list([(line.setting, line.value, line.is_default) for line in lines])
        changed = await self._settings.set(actor, request.key, request.value)
        return settings_list.setting_changed(changed.setting, changed.value, changed.is_default, changed.note)

    async def _simple(self, actor: Actor, request: Simple) -> Answer:
        mailbox = await one_mailbox(self._mailboxes, actor, request.address)
        match request:
            case asked.EditSignature():
                require_mailbox(actor, mailbox)  # who may not change it hears so before typing anything
                return signature_form(mailbox)
            case asked.RefreshMailbox():
                return answers.refreshed(await self._mailboxes.refresh(actor, mailbox.id))
            case asked.PauseMailbox():
                return answers.paused(await self._mailboxes.pause(actor, mailbox.id))
            case asked.ResumeMailbox():
                return answers.resumed(await self._mailboxes.resume(actor, mailbox.id))
            case asked.SwitchMailbox(_, switch, on):
                changed = await self._mailboxes.set_switches(actor, mailbox.id, **{switch: on})
                return answers.switched(mailbox, changed, switch)


def _resyncing(mailboxes: Sequence[Mailbox]) -> Card:
    names = [mailbox.address for mailbox in mailboxes]
    if not names:
        return answers.said(
            "Nothing to resync: no broken mailbox that is yours to mend, or they are being tried already."
        )
    return answers.said(f"Resync started: {', '.join(names[:10])}{' and more' if len(names) > 10 else ''}.")
