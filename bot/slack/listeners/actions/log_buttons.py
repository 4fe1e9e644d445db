"""The Email Log: pages, statuses, Cancel, Retry past validation."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import replace

from bot.slack import prospect_ids as ids
from bot.slack.action_ids import STALE, STALE_FIX
from bot.slack.blocks.email_log import LogView, log_window
from bot.slack.blocks.forms import Form
from bot.slack.listeners.prospect_windows import Pressed, ProspectWindows
from bot.slack.prospect_uses import Outreach
from bot.slack.uses import Answer
from core.domain.actor import Actor
from core.errors import NotFoundError, RefusedError

_CANCELLED = (
    "Cancelled in time: nothing went out. The prospect is Not Delivered, badge Canceled; Retry sends it after all."
)
_TOO_LATE = "Not cancelled:"
_RETRIED = "Tried again, whatever the check of the address says."


class LogButtons:
    """The window shows what became of it, and the log as it is now. Raises RethreadError kinds."""

    def __init__(self, outreach: Outreach, windows: ProspectWindows) -> None:
        self._outreach, self._windows = outreach, windows

    def handlers(self) -> dict[str, Callable[[Actor, Pressed], Awaitable[Answer]]]:
        """Action id to what pressing it does."""
        return {
            ids.LOG_OPEN: self._open,
            ids.LOG_PREVIOUS: self._page,
            ids.LOG_NEXT: self._page,
            ids.LOG_STATUS: self._status,
            ids.LOG_CANCEL: self._cancel,
            ids.LOG_RETRY: self._retry,
        }

    async def show(self, actor: Actor, view: LogView, notice: str = "") -> Form:
        """Raises NotFoundError for a campaign that is none."""
        return log_window(view, await self._outreach.log.page(actor, view.query), notice)

    async def _open(self, actor: Actor, pressed: Pressed) -> Answer:
        return await self.show(actor, LogView(await self._windows.named_by(actor, pressed.value.id)))

    async def _page(self, actor: Actor, pressed: Pressed) -> Answer:
        return await self.show(actor, replace(_view(pressed), page=max(1, pressed.value.version)))

    async def _status(self, actor: Actor, pressed: Pressed) -> Answer:
        return await self.show(actor, _view(pressed).of_status(pressed.value.choice))

    async def _cancel(self, actor: Actor, pressed: Pressed) -> Answer:
        """Two outcomes, each said (R218)."""
        try:
            await self._outreach.log.cancel(actor, pressed.value.id)
        except (RefusedError, NotFoundError) as refused:
            return await self.show(actor, _view(pressed), f"{_TOO_LATE} {refused.message} {refused.fix}".strip())
        return await self.show(actor, _view(pressed), _CANCELLED)

    async def _retry(self, actor: Actor, pressed: Pressed) -> Answer:
        try:
            await self._outreach.log.retry(actor, pressed.value.id)
        except (RefusedError, NotFoundError) as refused:
            return await self.show(actor, _view(pressed), f"Not retried: {refused.message} {refused.fix}".strip())
        return await self.show(actor, _view(pressed), _RETRIED)


def _view(pressed: Pressed) -> LogView:
    if not pressed.kept or "log" not in pressed.kept:
        raise RefusedError(STALE, reason="button_stale", fix=STALE_FIX)
    return LogView.kept(pressed.kept)
