"""Resync, Reconnect, Connect, Disconnect."""

from __future__ import annotations

from bot.slack.action_ids import ButtonValue
from bot.slack.blocks import answers
from bot.slack.blocks.kit import Card
from bot.slack.uses import Connect, ConnectUses, MailboxUses
from core.domain.actor import Actor


class MailboxButtons:
    """Every method raises RethreadError kinds; the desk tells them to whoever pressed."""

    def __init__(self, mailboxes: MailboxUses, connecting: ConnectUses, connect: Connect) -> None:
        self._mailboxes, self._connecting, self._connect = mailboxes, connecting, connect

    async def resync(self, actor: Actor, value: ButtonValue) -> None:
        """The card itself says that it is under way, and by whom."""
        await self._mailboxes.request_resync(actor, value.id)

    async def resync_here(self, actor: Actor, value: ButtonValue) -> Card:
        """On an answer or the Home tab, where nothing would change before the reader's eyes."""
        mailbox = await self._mailboxes.request_resync(actor, value.id)
        return answers.said(f"Resync started: {mailbox.address}.")

    async def reconnect(self, actor: Actor, value: ButtonValue) -> Card:
        mailbox = await self._mailboxes.get(actor, value.id)
        token = await self._connecting.issue_ticket(actor, mailbox.id)
        return answers.connect_link(self._connect.page(token), mailbox.address, secure=self._connect.secure)

    async def connect(self, actor: Actor, _: ButtonValue) -> Card:
        token = await self._connecting.issue_ticket(actor)
        return answers.connect_link(self._connect.page(token, actor), None, secure=self._connect.secure)

    async def disconnect(self, actor: Actor, value: ButtonValue) -> Card:
        mailbox = await self._mailboxes.disconnect(actor, value.id)
        return answers.said(f"{mailbox.address} is disconnected: its password is forgotten, its history stays.")
