"""The first words with Slack: which workspace this is, and taking its requests; again and again while Slack is away."""

from __future__ import annotations

import asyncio
import logging
from typing import Any

from bot.slack.slack_app import SlackFace
from core.errors import SlackError, SlackRefusedError
from core.ports.clock import Clock
from core.ports.storage import Store
from core.services.settings import SettingService
from core.settings import Settings

log = logging.getLogger("rethread.slack")


class Welcome:
    """Learns from Slack which workspace this is, and with ``listen`` takes its requests."""

    def __init__(
        self,
        face: SlackFace,
        store: Store,
        workspace_settings: SettingService,
        settings: Settings,
        clock: Clock,
        *,
        listen: bool,
    ) -> None:
        self._face, self._store, self._clock = face, store, clock
        self._workspace_settings, self._settings = workspace_settings, settings
        self._listen = listen
        self._done = False

    async def first(self, stop: asyncio.Event) -> None:
        """One try; and where no workspace is known yet, as many as it takes. Raises SlackRefusedError."""
        if not await self._try() and not await self._store.workspaces():
            await self.until_done(stop)

    async def until_done(self, stop: asyncio.Event) -> None:
        """Tries while Slack is away: mailboxes are read and mail goes meanwhile, and what is to be told waits."""
        pause = 1.0
        while not self._done and not await _stopped_within(stop, pause):
            await self._try()
            pause = min(pause * 2, 60.0)

    async def _try(self) -> bool:
        try:
            identity = await (self._face.start() if self._listen else self._face.identify())
        except SlackRefusedError:
            raise
        except SlackError as error:
            log.warning("action=slack_away slack=%s", error.slack_code)
            return False
        await self._store.ensure_workspace(identity.workspace, name=identity.name, at=self._clock.now())
        await self._workspace_settings.seed(identity.workspace, self._first_values())
        self._done = True
        return True

    def _first_values(self) -> dict[str, Any]:
        """What the operator chose, as long as nobody in the workspace has."""
        settings = self._settings
        return {
            "alert_channel": settings.alert_channel,
            "reply_channel": settings.reply_channel,
            "phone_country": [settings.phone_country] if settings.phone_country else None,
        }


async def _stopped_within(stop: asyncio.Event, seconds: float) -> bool:
    try:
        async with asyncio.timeout(seconds):
            await stop.wait()
    except TimeoutError:
        pass
    return stop.is_set()
