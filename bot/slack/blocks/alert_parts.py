"""What the cards of broken mailboxes have in common: causes, who must act, for how long, what can be pressed. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from bot.slack.action_ids import ACKNOWLEDGE, ASSIGN, ESCALATE, MORE, MUTE_HOURS, encode
from bot.slack.blocks import kit
from bot.slack.blocks.kit import Json
from bot.slack.blocks.text import clean, count, local_time, mention
from core.domain.diagnosis import CAUSES, CauseClass
from core.domain.provider_help import limits_page
from core.domain.providers import PROVIDERS

SUPPORT: Final = "Contact support: that is whoever runs Rethread; nothing that you type can mend this."
"""Said where only they can help (R26)."""

_WHO: Final = {
    "nobody": "Nobody needs to act: Rethread keeps trying.",
    "mail_admin": "Whoever runs the mail server can mend this.",
    "operator": SUPPORT,
    "vendor": "The makers of Rethread have to mend this.",
}
_FORWARD: Final = "For the mail administrator, to copy and send:"
_SENDING_LIMIT: Final = "sending_quota"
_PLACES: Final = {"other": "", "network": "several providers"}
_MUTES: Final = {"mute_24": "Mute for 1 day", "mute_72": "Mute for 3 days", "mute_168": "Mute for 1 week"}
assert _MUTES.keys() == MUTE_HOURS.keys()


def who_acts(who: str, owner: str | None) -> list[Json]:
    """Who can mend it: the owner by name, others by what they do. Without an owner: of several mailboxes."""
    if who == "vendor" and owner is None:
        return [kit.glue("The mail provider has to mend this.")]
    if who in _WHO:
        return [kit.glue(_WHO[who])]
    return [kit.person(owner), kit.glue(" can mend this.")] if owner else [kit.glue("Their owners can mend this.")]


def server_words(raw: str) -> list[Json]:
    """The server's own words where it said any (R43)."""
    return [kit.server_said(raw)] if raw.strip() else []


def how_to_fix(facts: Mapping[str, Any], *, operator: bool = False) -> Json:
    """Today's fix, and beside it the advice of older guides that does not work any more (R226)."""
    fix, obsolete, limits = facts["fix"], facts.get("obsolete"), own_limits(facts["cause"], facts["provider"])
    lines = [[kit.strong(fix_label(operator)), kit.words(fix, 700)]]
    if obsolete:
        lines.append([kit.strong("Outdated advice: "), kit.words(obsolete, 400)])
    if limits:
        lines.append(limits)
    return kit.paragraph(*lines)


def own_limits(cause: str, provider: str) -> list[Json]:
    """A line with the provider's own page on its limits, where a limit is the cause (R48); empty otherwise."""
    known, sending = CAUSES.get(cause), cause == _SENDING_LIMIT
    page = limits_page(provider, sending=sending)
    limited = known is not None and (known.klass is CauseClass.SLOW_DOWN or sending)
    return [kit.link(page, f"{provider_name(provider)}'s own limits")] if limited and page else []


def fix_label(support: bool) -> str:
    """What stands before the fix: whose it is to do."""
    return "What support has to do: " if support else "How to fix it: "


def to_administrator(forward: str | None) -> list[Json]:
    """Text that can be sent on as it is."""
    return [kit.to_forward(_FORWARD, forward, 800)] if forward else []


def provider_name(provider: str) -> str:
    """``Google``, or the server's own name where nobody knows whose it is; empty where there is none."""
    known = PROVIDERS.get(provider)
    return known.label if known else _PLACES.get(provider, clean(provider, 80))


def care(facts: Mapping[str, Any]) -> list[str]:
    """Who has taken it up and until when it is quiet, in pieces of a context line."""
    parts = []
    if facts.get("acknowledged_by"):
        parts.append(f"acknowledged by {mention(facts['acknowledged_by'])}, {local_time(facts.get('acknowledged_at'))}")
    if facts.get("assigned_to"):
        parts.append(f"assigned to {mention(facts['assigned_to'])}")
    if facts.get("muted_until"):
        parts.append(f"muted until {local_time(facts['muted_until'])}")
    if facts.get("reminders"):
        parts.append(count(int(facts["reminders"]), "reminder"))
    return parts


def care_buttons(facts: Mapping[str, Any], what: str) -> list[Json]:
    """Acknowledge, as long as nobody has."""
    if facts.get("acknowledged_by"):
        return []
    value = encode(facts["alert_id"], facts["version"])
    return [kit.button("Acknowledge", ACKNOWLEDGE, value, spoken=f"Acknowledge the alert about {what}")]


def assign_menu() -> Json:
    """For a row of which the block's id carries alert and version."""
    return kit.people_menu("Assign to …", ASSIGN)


def more_menu(facts: Mapping[str, Any]) -> Json:
    """Mute for a while, and escalate to whoever can help."""
    offered = [*_MUTES.items(), (ESCALATE, "Escalate …")]
    return kit.more_menu(
        MORE, [(label, encode(facts["alert_id"], facts["version"], choice)) for choice, label in offered]
    )


def line(*pieces: str) -> Json:
    """A context line that begins with a capital letter."""
    return kit.context(pieces[0][:1].upper() + pieces[0][1:], *pieces[1:])


def duration(minutes: int | None) -> str:
    """``4 min``, ``1 h 30 min``, ``3 days``."""
    if not minutes:
        return "less than a minute"
    if minutes < 120:
        return f"{minutes} min"
    if minutes < 2_880:
        hours, rest = divmod(minutes, 60)
        return f"{hours} h {rest} min" if rest else f"{hours} h"
    return count(minutes // 1_440, "day")
