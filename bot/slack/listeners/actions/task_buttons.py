"""Done, Skip; They called, texted, booked; History: what is pressed on the card of a call or a task."""

from __future__ import annotations

from bot.slack import action_ids
from bot.slack.action_ids import ButtonValue
from bot.slack.blocks.kit import Card
from bot.slack.blocks.task_card import HISTORY
from bot.slack.blocks.task_history import task_history
from bot.slack.uses import TaskUses
from core.domain.actor import Actor
from core.errors import InputError, RefusedError


class TaskButtons:
    """Nothing to say on success: the card changes for everybody. Raises RethreadError kinds; of two people who press
    at once the second hears who was faster."""

    def __init__(self, tasks: TaskUses) -> None:
        self._tasks = tasks

    async def done(self, actor: Actor, value: ButtonValue) -> None:
        await self._tasks.done(actor, value.id)

    async def skip(self, actor: Actor, value: ButtonValue) -> None:
        await self._tasks.skip(actor, value.id)

    async def more(self, actor: Actor, value: ButtonValue) -> Card | None:
        """What was chosen in the menu."""
        if value.choice == HISTORY:
            return task_history(await self._tasks.history(actor, value.id))
        try:
            await self._tasks.they(actor, value.choice, value.id)
        except InputError:
            raise RefusedError(action_ids.STALE, reason="button_stale", fix=action_ids.STALE_FIX) from None
        return None
