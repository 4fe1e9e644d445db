"""Slash commands."""

from __future__ import annotations

import re
from typing import Any

from slack_bolt.async_app import AsyncAck, AsyncApp

from bot.slack.blocks import answers
from bot.slack.blocks.kit import Card
from bot.slack.command_parser import MAILBOX, OUTREACH, Hint, ReportCampaign, parse_mailbox, parse_outreach
from bot.slack.listeners.commands.campaigns import OPENS, CampaignCommand, CampaignRequest
from bot.slack.listeners.commands.mailbox import MailboxCommand
from bot.slack.listeners.commands.outreach import OutreachCommand
from bot.slack.listeners.commands.prospects import ProspectCommand, ProspectRequest, opening
from bot.slack.listeners.commands.reporting import Reporting
from bot.slack.uses import Connect, Desk, Services
from core.domain.actor import Actor

_ELSEWHERE = Hint("Rethread does not know this command.", f"{MAILBOX} help, or {OUTREACH} help")


def register_commands(app: AsyncApp, desk: Desk, services: Services, connect: Connect) -> None:
    """/mailbox, /outreach, and a sentence for any other command that the app's settings may still name."""
    mailbox, outreach = MailboxCommand(desk, services, connect), OutreachCommand(services)
    reporting = Reporting(desk, services)
    prospects = None if services.outreach is None else ProspectCommand(desk, services, services.outreach)
    campaigns = None if services.building is None else CampaignCommand(desk, services, services.building)

    @app.command(MAILBOX)
    async def on_mailbox(ack: AsyncAck, body: dict[str, Any]) -> None:
        await ack()
        asked = parse_mailbox(str(body.get("text") or ""))
        await desk.serve(body, lambda actor: mailbox.answer(actor, asked))

    @app.command(OUTREACH)
    async def on_outreach(ack: AsyncAck, body: dict[str, Any]) -> None:
        await ack()
        asked = parse_outreach(str(body.get("text") or ""))
        if isinstance(asked, ReportCampaign):
            name, channel = asked.name, str(body.get("channel_id") or "")
            await desk.serve(body, lambda actor: reporting.answer(actor, name, channel))
            return
        if campaigns is not None and isinstance(asked, CampaignRequest):
            await desk.serve(body, campaigns.story(asked), opening=OPENS.get(type(asked), ""))
            return
        if prospects is not None and isinstance(asked, ProspectRequest):
            await desk.serve(body, lambda actor: prospects.answer(actor, asked), opening=opening(asked))
            return
        await desk.serve(body, lambda actor: outreach.answer(actor, asked))

    @app.command(re.compile(""))
    async def on_unknown(ack: AsyncAck, body: dict[str, Any]) -> None:
        await ack()
        await desk.serve(body, _unknown)


async def _unknown(_: Actor) -> Card:
    return answers.hint(_ELSEWHERE)
