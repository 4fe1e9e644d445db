"""What became of a request about a whole campaign. Pure."""

from __future__ import annotations

from typing import Final

from bot.slack.action_ids import CAMPAIGN_OPEN, encode
from bot.slack.blocks import answers, kit
from bot.slack.blocks.kit import Card
from bot.slack.blocks.text import clean
from core.domain.campaign import Campaign, CampaignStatus
from core.services.trial_letter import TrialLetterResult

_SHOWN: Final = 2_800
_LIFE: Final = {
    CampaignStatus.ACTIVE: "is running.",
    CampaignStatus.PAUSED: "is paused: nothing is sent until it is started again.",
    CampaignStatus.STOPPED: "is stopped for good: what waited is cancelled. To go on, duplicate it and move people.",
    CampaignStatus.ARCHIVED: "is archived: it is out of the way, and its figures stay.",
}


def life_words(campaign: Campaign) -> str:
    return f"{campaign.name} {_LIFE.get(campaign.status, f'is {campaign.status.value}.')}"


def life_changed(campaign: Campaign, words: str = "") -> Card:
    """How it stands now, and the way back to it."""
    text = words or life_words(campaign)
    opens = kit.button("Open the campaign", CAMPAIGN_OPEN, encode(campaign.id, campaign.version))
    return Card(kit.fallback(text), [kit.told(text), kit.actions(opens)])


def exported_text(name: str, text: str) -> Card:
    """Where Slack takes no file from us: as much as a message holds."""
    shown = clean(text, _SHOWN, lines=True)
    blocks = [kit.told(f"Slack took no file, so here is the text of {name}:"), kit.preformatted(shown)]
    if len(text) > _SHOWN:
        blocks.append(
            kit.told("It goes on. An admin can allow Rethread to upload files: reinstall the newest manifest.")
        )
    return Card(kit.fallback(f"The campaign file of {name}."), blocks)


def test_letter(result: TrialLetterResult) -> Card:
    """R170..R173: from the system address, and in no figures."""
    if result.sent:
        detail = f"Subject: {result.subject}. It carries no signature, and no figure counts it."
        return answers.said(f"{result.title}.", detail)
    return answers.error(f"{result.title}.", result.fix, quoted=result.raw)


test_letter.__test__ = False  # type: ignore[attr-defined]  # no test, whatever a test runner makes of its name
