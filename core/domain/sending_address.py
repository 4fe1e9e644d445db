"""The From of a mail: the mailbox's own address, or one of its aliases where campaign or stage asks for it. Pure."""

from __future__ import annotations

from core.domain.account import Mailbox
from core.domain.address import match_key
from core.domain.campaign import Campaign, Stage


def sender_address(campaign: Campaign, stage: Stage, mailbox: Mailbox) -> str:
    """What stands in From; the envelope's sender is the mailbox's own address in any case. A stage's From goes before
    the campaign's; an address that is neither the mailbox's nor one of its aliases counts for nothing."""
    own, aliases = match_key(mailbox.address), {match_key(alias): alias for alias in mailbox.aliases}
    for address in (stage.sender,) if stage.sender else campaign.senders:
        key = match_key(address)
        if key == own:
            return mailbox.address
        if key in aliases:
            return aliases[key]
    return mailbox.address
