"""Posts what the outbox holds: each card once, then updated in place to the newest facts."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

from core.errors import SlackBusyError, SlackError, SlackRefusedError, SlackUnknownError
from core.ports.notifier import MessageRef, Notifier
from core.ports.storage import OutboxItem
from core.services.tools import Tools

_UNKNOWN_PAUSE = timedelta(seconds=3)
_LONGEST_BACK_OFF_S = 300.0
_DELETED = "message_not_found"
# How long this process may have been down since it began to post.
_LOOK_BACK = timedelta(days=3)
_LONGEST_PAUSE = timedelta(seconds=_LONGEST_BACK_OFF_S)


class NotificationService:
    """Use case of the worker that posts."""

    def __init__(self, tools: Tools, notifier: Notifier) -> None:
        self._tools = tools
        self._notifier = notifier

    async def recover(self, workspace: str, *, claimed_before: datetime) -> int:
        """What a dead process was posting: found again or posted again, never forgotten."""
        async with self._tools.store.write(workspace) as uow:
            return await uow.outbox.recover_posting(claimed_before=claimed_before)

    async def renew(self, under_way: Iterable[OutboxItem]) -> None:
        """This process is alive and still posting these: nobody may take them for a dead one's."""
        by_workspace: dict[str, list[str]] = {}
        for item in under_way:
            by_workspace.setdefault(item.workspace, []).append(item.id)
        for workspace, ids in by_workspace.items():
            async with self._tools.store.write(workspace) as uow:
                await uow.outbox.renew(ids, self._tools.clock.now())

    async def claim(self, workspace: str, *, limit: int) -> list[OutboxItem]:
        async with self._tools.store.write(workspace) as uow:
            return await uow.outbox.claim(self._tools.clock.now(), limit=limit, token=self._tools.new_id())

    async def publish(self, item: OutboxItem) -> None:
        """Posts or updates one claimed card and records what came of it."""
        try:
            ref = await self._show(item)
        except SlackUnknownError:
            await self._after_lost_answer(item)
        except SlackBusyError as error:
            await self._put_back(item, error)
        except SlackRefusedError as error:
            await self._refused(item, error)
        except Exception:  # whatever it was, the card must not stay "being posted" for ever
            await self._after_lost_answer(item)
            raise
        else:
            async with self._tools.store.write(item.workspace) as uow:
                await uow.outbox.posted(item, channel=ref.channel, ts=ref.ts)

    async def _show(self, item: OutboxItem) -> MessageRef:
        if item.channel and item.ts:
            ref = MessageRef(item.channel, item.ts)
            await self._notifier.update(item.workspace, ref, kind=item.kind, facts=item.facts)
            return ref
        if item.state == "unknown":
            # An earlier post may stand there. A rare double alert is better than a lost one, so where we may not
            # look, it is posted again.
            since = self._tools.clock.now() - _LOOK_BACK
            found = await self._notifier.find(item.workspace, destination=item.destination, key=item.key, since=since)
            if found is not None:
                await self._notifier.update(item.workspace, found, kind=item.kind, facts=item.facts)
                return found
        return await self._notifier.post(
            item.workspace, destination=item.destination, kind=item.kind, facts=item.facts, key=item.key
        )

    async def _after_lost_answer(self, item: OutboxItem) -> None:
        later = self._tools.clock.now() + min(_UNKNOWN_PAUSE * 2 ** min(item.attempts - 1, 10), _LONGEST_PAUSE)
        async with self._tools.store.write(item.workspace) as uow:
            if item.ts is None:
                await uow.outbox.mark_unknown(item, not_before=later)
            else:  # an update repeated shows the same
                await uow.outbox.put_back(item, not_before=later, error="the answer was lost")

    async def _put_back(self, item: OutboxItem, error: SlackBusyError) -> None:
        pause = error.retry_after or min(2.0 ** min(item.attempts, 10), _LONGEST_BACK_OFF_S)
        later = self._tools.clock.now() + timedelta(seconds=pause)
        async with self._tools.store.write(item.workspace) as uow:
            await uow.outbox.put_back(item, not_before=later, error=error.slack_code)

    async def _refused(self, item: OutboxItem, error: SlackError) -> None:
        """The route is wrong (not in channel, archived, no such channel): the card goes to its owner instead. A card
        that somebody deleted is posted anew, because it has something new to say."""
        if error.slack_code == _DELETED and item.ts is not None:
            async with self._tools.store.write(item.workspace) as uow:
                await uow.outbox.forget_message(item)
                uow.wake("notifications")
            return
        owner = str(item.facts.get("owner") or "")
        direct = f"user:{owner}"
        async with self._tools.store.write(item.workspace) as uow:
            await uow.outbox.fail(item, error=error.slack_code)
            reroute = owner.startswith(("U", "W")) and item.destination != direct and item.ts is None
            if reroute and not _has_own_copy(item):
                await uow.outbox.put(
                    item.key, destination=direct, kind=item.kind, facts=item.facts, at=self._tools.clock.now()
                )
                uow.wake("notifications")


def _has_own_copy(item: OutboxItem) -> bool:
    """What concerns one mailbox or one reply reaches the owner by a message of its own anyway."""
    return item.kind in ("sync", "sync_reminder", "recovery", "reply")
