"""Resync, Reconnect, Connect, Refresh, Pause, Resume, Disconnect."""

from __future__ import annotations

from bot.slack.action_ids import ButtonValue
from bot.slack.blocks import answers
from bot.slack.blocks.kit import Card
from bot.slack.blocks.mailbox_buttons import needs_a_person
from bot.slack.listeners.connecting import ConnectLinks
from bot.slack.uses import MailboxUses
from core.domain.actor import Actor


class MailboxButtons:
    """Every method raises RethreadError kinds; the desk tells them to whoever pressed."""

    def __init__(self, mailboxes: MailboxUses, links: ConnectLinks) -> None:
        self._mailboxes, self._links = mailboxes, links

    async def resync(self, actor: Actor, value: ButtonValue) -> Card | None:
        """The card itself says that it is under way, and by whom. Where the alert is over, no card changes any more."""
        mailbox = await self._mailboxes.request_resync(actor, value.id)
        return None if needs_a_person(mailbox) else answers.resyncing(mailbox)

    async def resync_here(self, actor: Actor, value: ButtonValue) -> Card:
        """On an answer or the Home tab, where nothing would change before the reader's eyes."""
        return answers.resyncing(await self._mailboxes.request_resync(actor, value.id))

    async def reconnect(self, actor: Actor, value: ButtonValue) -> Card:
        return await self._links.again(actor, await self._mailboxes.get(actor, value.id))

    async def connect(self, actor: Actor, _: ButtonValue) -> Card:
        return await self._links.for_address(actor, None)

    async def refresh(self, actor: Actor, value: ButtonValue) -> Card:
        return answers.refreshed(await self._mailboxes.refresh(actor, value.id))

    async def pause(self, actor: Actor, value: ButtonValue) -> Card:
        return answers.paused(await self._mailboxes.pause(actor, value.id))

    async def resume(self, actor: Actor, value: ButtonValue) -> Card:
        return answers.resumed(await self._mailboxes.resume(actor, value.id))

    async def disconnect(self, actor: Actor, value: ButtonValue) -> Card:
        mailbox = await self._mailboxes.disconnect(actor, value.id)
        return answers.said(f"{mailbox.address} is disconnected: its password is forgotten, its history stays.")
