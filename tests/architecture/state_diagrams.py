"""Draws the state machines of the engine from their tables, as Mermaid diagrams."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from enum import StrEnum
from typing import Any

from core.domain import account, campaign, delivery, enrollment

MOST_ARROWS = 5
"""A move from more states than this is told below the diagram: it would hide the others."""

Transitions = Mapping[StrEnum, Mapping[StrEnum, StrEnum]]


def _drawn() -> list[tuple[str, str, StrEnum, Transitions]]:
    """Title, the file that holds the table, the first state, the table."""
    return [
        ("Mailbox", "account", account.MailboxStatus.CONNECTING, _table(account.TRANSITIONS)),
        ("Campaign", "campaign", campaign.CampaignStatus.DRAFT, _table(campaign.TRANSITIONS)),
        ("Prospect", "enrollment", enrollment.ProspectStatus.ACTIVE, _table(enrollment.TRANSITIONS)),
        ("Delivery", "delivery", delivery.DeliveryState.QUEUED, _table(delivery.TRANSITIONS)),
    ]


def _table(table: Mapping[Any, Any]) -> Transitions:
    return table


def render() -> str:
    """All of them, each under a heading."""
    return "\n".join(_machine(*drawn) for drawn in _drawn())


def _machine(title: str, module: str, first: StrEnum, table: Transitions) -> str:
    moves: defaultdict[tuple[StrEnum, StrEnum], list[str]] = defaultdict(list)
    told: list[str] = []
    for event, targets in table.items():
        stays = [source.value for source, target in targets.items() if source is target]
        if stays:
            told.append(f"- {event.value}: stays as it is ({', '.join(stays)})")
        for target in dict.fromkeys(targets.values()):
            sources = [source for source, reached in targets.items() if reached is target and source is not target]
            if len(sources) > MOST_ARROWS:
                told.append(f"- {event.value}: to {target.value} from {', '.join(one.value for one in sources)}")
            else:
                for source in sources:
                    moves[source, target].append(event.value)
    return "\n".join([f"### {title} (`core/domain/{module}.py`)", "", *_diagram(first, moves), "", *_beside(told)])


def _diagram(first: StrEnum, moves: Mapping[tuple[StrEnum, StrEnum], list[str]]) -> list[str]:
    states = dict.fromkeys(state for pair in [(first, first), *moves] for state in pair)
    named = [f'  state "{state.value}" as {state.name}' for state in states]
    arrows = [f"  {source.name} --> {target.name}: {', '.join(events)}" for (source, target), events in moves.items()]
    return ["```mermaid", "stateDiagram-v2", *named, f"  [*] --> {first.name}", *arrows, "```"]


def _beside(told: list[str]) -> list[str]:
    return ["Not drawn:", "", *told, ""] if told else []
