"""The files that a campaign's mails send along."""

from __future__ import annotations

import hashlib
import mimetypes
from collections.abc import Mapping
from datetime import datetime
from typing import Final

from core.domain.actor import Actor, require_outreach
from core.domain.campaign import Campaign
from core.domain.campaign_file import is_file_name
from core.errors import InputError, NotFoundError
from core.ports.storage import CampaignFile, UnitOfWork
from core.services.campaign_lookup import find_campaign
from core.services.tools import Tools

MOST_BYTES: Final = 10_000_000
LARGE_BYTES: Final = 1_000_000
"""From here on a file costs: many recipients' hosts frown on it, and it goes out with every mail."""


class CampaignFiles:
    """Files by name, one set for each campaign."""

    def __init__(self, tools: Tools) -> None:
        self._tools = tools

    async def put(self, actor: Actor, campaign_name: str, file_name: str, content: bytes) -> list[str]:
        """Adds a file, or replaces one; what is sent from now on carries it. Returns warnings. Raises InputError."""
        check_file(file_name, len(content))
        async with self._tools.store.write(actor.workspace) as uow:
            campaign = await find_campaign(uow, campaign_name)
            require_outreach(actor, campaign.owner)
            await uow.campaign_files.put(made_file(campaign.id, file_name, content, self._tools.clock.now()))
            # Whoever failed for want of it is retried by a person; whoever waits goes on.
            uow.wake("outreach")
        return warnings_of({file_name: len(content)})

    async def names(self, actor: Actor, campaign_name: str) -> Mapping[str, bool]:
        """The files that are there or wanted, each with whether it is there."""
        async with self._tools.store.read(actor.workspace) as uow:
            campaign = await find_campaign(uow, campaign_name)
            there = set(await uow.campaign_files.names(campaign.id))
        return {name: name in there for name in sorted(there | set(attached(campaign)))}

    async def get(self, actor: Actor, campaign_name: str, file_name: str) -> CampaignFile:
        """Raises NotFoundError."""
        async with self._tools.store.read(actor.workspace) as uow:
            campaign = await find_campaign(uow, campaign_name)
            file = await uow.campaign_files.get(campaign.id, file_name)
        if file is None:
            raise NotFoundError(f"“{campaign.name}” has no file {file_name[:100]}.")
        return file

    async def all_of(self, actor: Actor, campaign_name: str) -> list[CampaignFile]:
        async with self._tools.store.read(actor.workspace) as uow:
            campaign = await find_campaign(uow, campaign_name)
            return await uow.campaign_files.many(campaign.id, await uow.campaign_files.names(campaign.id))


def attached(campaign: Campaign) -> list[str]:
    """The names that its stages send along."""
    return list(dict.fromkeys(name for stage in campaign.live_stages for name in stage.attachments))


async def keep_only(uow: UnitOfWork, campaign: Campaign) -> None:
    """Files that no stage names go."""
    wanted = {name for stage in campaign.stages for name in stage.attachments}
    for name in set(await uow.campaign_files.names(campaign.id)) - wanted:
        await uow.campaign_files.remove(campaign.id, name)


def check_file(name: str, size: int) -> None:
    """Raises InputError for a name that is none, and for what is too large."""
    if not is_file_name(name):
        raise InputError(f"{name[:60]!r} is no file name", field="attachments")
    if size > MOST_BYTES:
        raise InputError(
            f"{name} is larger than {MOST_BYTES // 1_000_000} MB", field="attachments", fix="Shrink it, or send a link."
        )


def warnings_of(sizes: Mapping[str, int]) -> list[str]:
    """One sentence for each large file."""
    return [
        f"{name} has {size / 1_000_000:.1f} MB: it goes with every mail, and hosts like small mails better."
        for name, size in sizes.items()
        if size > LARGE_BYTES
    ]


def made_file(campaign_id: str, name: str, content: bytes, at: datetime) -> CampaignFile:
    kind = mimetypes.guess_type(name)[0] or "application/octet-stream"
    return CampaignFile(campaign_id, name, kind, len(content), hashlib.sha256(content).hexdigest(), at, content)
