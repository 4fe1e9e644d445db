"""Changes of a campaign that has people in it, by the rules of its file (decision 0017). Pure.

What was sent keeps its stage's number for good: Message-IDs derive from it, and so do the figures. So a stage that is
deleted while people are in the campaign keeps its place as a removed one, and nobody gets it any more.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

from core.domain.campaign import Campaign, Stage
from core.domain.campaign_file import CampaignDraft, read, write
from core.errors import InputError, NotFoundError, RefusedError

STAGE_FIELDS: Final = frozenset({"delay", "subject", "body", "html", "note", "required", "from", "attachments"})
"""What of a stage may change. Its kind may not: delete it, and add another."""
CAMPAIGN_FIELDS: Final = frozenset(
    {"owner", "shared", "job", "job_stage", "channel", "timezone", "window", "holidays", "email_priority", "from",
     "tracking"}
)  # fmt: skip


def with_stage_changed(campaign: Campaign, position: int, changes: Mapping[str, Any]) -> Campaign:
    """The campaign with fields of one stage as given, in the file's words; None or "" takes one away. Raises InputError
    with every fault, NotFoundError."""
    _require_known(changes, STAGE_FIELDS)
    index = _index_of(campaign, position)
    stages = _file_stages(campaign)
    stages[index] = _merged(stages[index], changes)
    return _rebuilt(campaign, {**campaign.definition, "stages": stages}, _positions(campaign))


def with_stage_added(campaign: Campaign, stage: Mapping[str, Any]) -> Campaign:
    """One more stage at the end, in the file's words. Whoever was through before stays Complete."""
    positions = [*_positions(campaign), len(campaign.stages) + 1]
    definition = {**campaign.definition, "stages": [*_file_stages(campaign), _merged({}, stage)]}
    return _rebuilt(campaign, definition, positions)


def with_stage_removed(campaign: Campaign, position: int, *, keeps_place: bool) -> Campaign:
    """Without a stage. ``keeps_place``: there are people, so that the stages behind it keep their numbers."""
    index = _index_of(campaign, position)
    stages, positions = _file_stages(campaign), _positions(campaign)
    if len(stages) == 1:
        raise RefusedError(
            "It is the only stage, and a campaign needs one.", reason="last_stage", fix="Add another one first."
        )
    del stages[index], positions[index]
    changed = _rebuilt(campaign, {**campaign.definition, "stages": stages}, positions)
    if keeps_place:
        return changed
    live = tuple(replace(one, position=number) for number, one in enumerate(changed.live_stages, start=1))
    return replace(changed, stages=live)


def with_details(campaign: Campaign, changes: Mapping[str, Any]) -> Campaign:
    """The campaign with its own fields as given, in the file's words; None or "" takes one away."""
    _require_known(changes, CAMPAIGN_FIELDS)
    return _rebuilt(campaign, _merged(campaign.definition, changes), _positions(campaign))


def _require_known(changes: Mapping[str, Any], known: frozenset[str]) -> None:
    for name in changes:
        if name not in known:
            raise InputError(f"cannot be changed; known: {', '.join(sorted(known))}", field=name[:40])


def _positions(campaign: Campaign) -> list[int]:
    return [stage.position for stage in campaign.live_stages]


def _index_of(campaign: Campaign, position: int) -> int:
    positions = _positions(campaign)
    if position not in positions:
        numbers = ", ".join(map(str, positions))
        raise NotFoundError(f"“{campaign.name}” has no stage {position}.", fix=f"There are: {numbers}.")
    return positions.index(position)


def _file_stages(campaign: Campaign) -> list[Mapping[str, Any]]:
    return [dict(stage) for stage in campaign.definition.get("stages", ())]


def _merged(before: Mapping[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    merged = {**before, **changes}
    return {name: value for name, value in merged.items() if value not in (None, "", ())}


def _rebuilt(campaign: Campaign, definition: Mapping[str, Any], positions: Sequence[int]) -> Campaign:
    """Read again as a file would be, so that an edit can break nothing that an import could not."""
    draft, faults = read(write(definition))
    if draft is None:
        raise InputError("; ".join(map(str, faults)), where="campaign", fix="Correct this and try again.")
    live = {at: replace(stage, position=at) for at, stage in zip(positions, draft.stages, strict=True)}
    last = max([*live, len(campaign.stages)])
    stages = tuple(live[at] if at in live else _removed(campaign.stages[at - 1]) for at in range(1, last + 1))
    return _with_draft(campaign, draft, stages)


def _removed(stage: Stage) -> Stage:
    return replace(stage, removed=True)


def _with_draft(campaign: Campaign, draft: CampaignDraft, stages: tuple[Stage, ...]) -> Campaign:
    return replace(
        campaign,
        stages=stages,
        senders=draft.senders,
        owner=draft.owner or campaign.owner,
        channel=draft.channel,
        timezone=draft.timezone,
        email_priority=draft.email_priority,
        definition=draft.definition,
        shared=draft.shared,
        job=draft.job,
        job_stage=draft.job_stage,
    )
