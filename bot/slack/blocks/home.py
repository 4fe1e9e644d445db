"""App Home: a person's mailboxes, what failed for them, their campaigns. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from bot.slack.action_ids import CAMPAIGN_NEW, CAMPAIGN_OPEN, CONNECT, encode
from bot.slack.blocks import kit
from bot.slack.blocks.kit import Card, Json, Stack
from bot.slack.blocks.mailbox_status import NOTHING_KNOWN, Surroundings, add_mailboxes
from bot.slack.blocks.outreach_status import Counts, campaign_line, failure_line
from core.domain.account import Mailbox
from core.domain.campaign import Campaign
from core.ports.storage import ProspectRow

MOST_BLOCKS: Final = 95
_FAILURES: Final = 10
_CAMPAIGNS: Final = 15


def home_view(
    mailboxes: Sequence[Mailbox],
    failed: Sequence[tuple[str, ProspectRow]],
    campaigns: Sequence[tuple[Campaign, Counts]],
    around: Surroundings = NOTHING_KNOWN,
) -> Json:
    """The Home tab as views.publish takes it. ``failed`` pairs a campaign's name with a failed prospect; ``around`` is
    what is known beside the mailboxes."""
    stack = Stack(kit.header("My mailboxes"), most_blocks=MOST_BLOCKS, most_json=40_000)
    if not mailboxes:
        stack.add(kit.note("None yet. Connect the mailbox you write to candidates from."))
    shown = add_mailboxes(stack, mailboxes[:20], around)
    if shown < len(mailboxes):
        stack.add(kit.context(f"{len(mailboxes) - shown} more: /mailbox status"))
    stack.add(kit.actions(kit.button("Connect a mailbox", CONNECT, encode("new"))))
    _add_failures(stack, failed)
    _add_campaigns(stack, campaigns)
    stack.add(kit.divider(), kit.context("/mailbox help and /outreach help list all that can be typed"))
    return {"type": "home", "blocks": stack.blocks}


def _add_failures(stack: Stack, failed: Sequence[tuple[str, ProspectRow]]) -> None:
    stack.add(kit.divider(), kit.header("My failures"))
    if not failed:
        stack.add(kit.note("None."))
    for campaign, row in failed[:_FAILURES]:
        stack.add(kit.paragraph([kit.bold(campaign)]), failure_line(row))
    if failed:
        stack.add(kit.paragraph([kit.glue("Try them again: "), kit.typed("/outreach retry all")]))


def _add_campaigns(stack: Stack, campaigns: Sequence[tuple[Campaign, Counts]]) -> None:
    stack.add(kit.divider(), kit.header("My campaigns"))
    if not campaigns:
        stack.add(kit.note("None yet. Build one: a draft sends nothing until you start it."))
    for campaign, counts in campaigns[:_CAMPAIGNS]:
        stack.add(campaign_line(campaign, counts), kit.actions(_open_button(campaign)))
    stack.add(kit.actions(kit.button("New campaign", CAMPAIGN_NEW, encode("new"))))
    if len(campaigns) > _CAMPAIGNS:
        stack.add(kit.context(f"{len(campaigns) - _CAMPAIGNS} more: /outreach list"))


def _open_button(campaign: Campaign) -> Json:
    value = encode(campaign.id, campaign.version)
    return kit.button("Open", CAMPAIGN_OPEN, value, spoken=f"Open {campaign.name}")


def home_notice(card: Card) -> Json:
    """A Home tab that shows one answer only: why there is nothing else to see."""
    return {"type": "home", "blocks": card.blocks}


def modal(card: Card) -> Json:
    """An answer as a window: on the Home tab, where no message can be shown, and where it is long."""
    title: Json = {"type": "plain_text", "text": card.window or "Rethread"}
    close: Json = {"type": "plain_text", "text": "Close"}
    return {"type": "modal", "title": title, "close": close, "blocks": card.blocks}
