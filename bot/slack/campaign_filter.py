"""Which campaigns are listed: as typed after /outreach list, and as carried by the list's menus. Pure."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any, Final

from core.domain.campaign import CampaignStatus
from core.domain.campaign_query import CampaignQuery, CampaignSort

_MOST: Final = 40
"""Characters of a job, a job stage or a name's part that are looked for; all of it has to fit into a block's id."""

_STATUSES: Final = {
    "draft": "draft",
    "drafts": "draft",
    "running": "active",
    "active": "active",
    "paused": "paused",
    "stopped": "stopped",
    "archived": "archived",
}
_SORTS: Final = {"newest": "created", "created": "created", "status": "status", "name": "name"} | {
    "people": "prospects",
    "prospects": "prospects",
    "stages": "stages",
}


@dataclass(frozen=True, slots=True)
class CampaignFilter:
    """Empty: no matter. ``owner`` is a Slack user; ``shared`` "yes" or "no"; ``page`` counts from 1."""

    owner: str = ""
    status: str = ""
    shared: str = ""
    job: str = ""
    job_stage: str = ""
    sort: str = ""
    text: str = ""
    page: int = 1

    def query(self) -> CampaignQuery:
        return CampaignQuery(
            owners=(self.owner,) if self.owner else (),
            statuses=(CampaignStatus(self.status),) if self.status in set(CampaignStatus) else (),
            shared={"yes": True, "no": False}.get(self.shared),
            job=self.job,
            job_stage=self.job_stage,
            text=self.text,
            sort=CampaignSort(self.sort) if self.sort in set(CampaignSort) else CampaignSort.CREATED,
        )

    def with_choice(self, name: str, value: str) -> CampaignFilter:
        """As a menu changes it; it begins at the first page again."""
        if name not in _NAMES:
            return self
        return replace(self, **{name: value[:_MOST]}, page=1)

    @property
    def is_any(self) -> bool:
        """Whether every campaign is shown."""
        return self == CampaignFilter(sort=self.sort, page=self.page)


_NAMES: Final = frozenset(("owner", "status", "shared", "job", "job_stage", "sort"))


def typed(words: Sequence[str], user: str) -> CampaignFilter:
    """``mine running job:Backend stage:Interview sort:name shared @omar``; other words are part of a name."""
    found, rest = CampaignFilter(), list[str]()
    for word in words:
        name, colon, value = word.partition(":")
        low = word.lower()
        if low == "mine":
            found = found.with_choice("owner", user)
        elif low in _STATUSES:
            found = found.with_choice("status", _STATUSES[low])
        elif low in ("shared", "unshared"):
            found = found.with_choice("shared", "yes" if low == "shared" else "no")
        elif colon and name.lower() in ("job", "stage", "sort"):
            found = _named(found, name.lower(), value)
        elif word.startswith("<@") and word.endswith(">"):
            found = found.with_choice("owner", word[2:-1].partition("|")[0])
        else:
            rest.append(word)
    return replace(found, text=" ".join(rest)[:_MOST])


def _named(found: CampaignFilter, name: str, value: str) -> CampaignFilter:
    if name == "sort":
        return found.with_choice("sort", _SORTS.get(value.lower(), ""))
    return found.with_choice("job_stage" if name == "stage" else "job", value)


def carried(chosen: CampaignFilter, mark: str) -> str:
    """For a block's id, at most 255 characters; ``mark`` tells blocks of one card apart."""
    full = {name: value for name, value in asdict(chosen).items() if value}
    for room in (_MOST, 12, 0):
        cut = {name: value[:room] if name in ("job", "job_stage", "text") else value for name, value in full.items()}
        text = f"{mark}|{json.dumps(cut, separators=(',', ':'), ensure_ascii=False)}"
        if len(text) <= 255:
            return text
    return f"{mark}|{{}}"


def brought_back(value: object) -> CampaignFilter:
    """The other way round; what is none of ours is no filter."""
    try:
        found: Any = json.loads(str(value).partition("|")[2] or "{}")
        page = found.pop("page", 1)
        texts = {name: str(text)[:_MOST] for name, text in found.items() if name in _NAMES | {"text"}}
        return CampaignFilter(**texts, page=max(1, min(int(page), 10_000)))
    except (ValueError, TypeError, AttributeError, RecursionError):
        return CampaignFilter()
