"""Opens, clicks and downloads on their way from a web request to a row (R174..R176, R182).

A request is answered at once; what it says is noted a moment later, in batches. The moment matters for the judgement
too: whether a mail's links were all clicked at once shows only after the first. What a process that dies still held is
lost: such figures are never complete, and nothing depends on them.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from core.domain.delivery import Delivery
from core.domain.engagement_signs import AT_ONCE, Sight, is_machine
from core.domain.tracking_token import LinkKind, Token, TokenSigner
from core.ports.storage import CampaignFile, Engagement, UnitOfWork
from core.services.optouts import OptOutService
from core.services.tools import Tools, persistently

MOST_WAITING: Final = 20_000
"""Beyond this a flood is under way: what else comes in is answered and not counted."""
MOST_OF_A_MAIL: Final = 200
"""The same for the links of one mail: each visit is judged by the others of its mail."""
_AT_A_TIME: Final = 25
_LONGEST_AGENT: Final = 200
_KINDS: Final = {LinkKind.OPEN: "open", LinkKind.CLICK: "click", LinkKind.FILE: "download"}


@dataclass(frozen=True, slots=True)
class Visit:
    """One request for a link: by whom it says it came, and whether only the headers were asked for."""

    agent: str
    head: bool = False


@dataclass(frozen=True, slots=True)
class _Waiting:
    token: Token
    kind: str
    at: datetime
    visit: Visit


class EngagementService:
    """What the links of our mails do. Nothing here ever moves a prospect, but for ``unsubscribe``. ``signer`` None: no
    link is ours."""

    def __init__(self, tools: Tools, signer: TokenSigner | None, optouts: OptOutService) -> None:
        self._tools = tools
        self._signer = signer
        self._optouts = optouts
        self._waiting: deque[_Waiting] = deque()
        self._of_mail: dict[str, list[_Waiting]] = {}
        """The same by delivery, in the same order, until they are noted."""

    def opened(self, token: str, visit: Visit) -> None:
        """A tracking picture was asked for; a bad token is ignored."""
        self._take(self._read(token, LinkKind.OPEN), visit)

    def clicked(self, token: str, visit: Visit) -> str | None:
        """Where the link leads; None for a bad token."""
        said = self._read(token, LinkKind.CLICK)
        self._take(said, visit)
        return said.target if said else None

    async def file(self, token: str, visit: Visit) -> CampaignFile | None:
        """The file behind a link; None for a bad token and for a file that is gone."""
        said = self._read(token, LinkKind.FILE)
        if said is None:
            return None
        async with self._tools.store.read(said.workspace) as uow:
            delivery = await uow.deliveries.get(said.delivery_id)
            found = await uow.campaign_files.get(delivery.campaign_id, said.target) if delivery else None
        if found is not None:
            self._take(said, visit)
        return found

    def may_unsubscribe(self, token: str) -> bool:
        """Whether the link is one of ours. Changes nothing."""
        return self._read(token, LinkKind.UNSUBSCRIBE) is not None

    async def unsubscribe(self, token: str, *, how: str) -> bool:
        """False for a bad token. ``how`` is evidence for the ledger."""
        said = self._read(token, LinkKind.UNSUBSCRIBE)
        if said is None:
            return False
        await self._optouts.unsubscribe(said, evidence=how)
        return True

    def _read(self, token: str, kind: LinkKind) -> Token | None:
        return self._signer.read(token, kind) if self._signer else None

    def _take(self, token: Token | None, visit: Visit) -> None:
        if token is None or len(self._waiting) >= MOST_WAITING:
            return
        of_mail = self._of_mail.setdefault(token.delivery_id, [])
        if len(of_mail) < MOST_OF_A_MAIL:
            of_mail.append(_Waiting(token, _KINDS[token.kind], self._tools.clock.now(), visit))
            self._waiting.append(of_mail[-1])

    async def note(self, *, everything: bool = False) -> int:
        """Writes down what came in, once it is old enough to be judged (``everything``: at the end of the process).
        Returns how many were noted for the first time."""
        judged_until = self._tools.clock.now() - AT_ONCE
        noted = 0
        while self._waiting and (everything or self._waiting[0].at <= judged_until):
            until = None if everything else judged_until
            batch = self._taken(until)
            try:
                for workspace in dict.fromkeys(one.token.workspace for one in batch):
                    mine = [one for one in batch if one.token.workspace == workspace]
                    noted += await self._note_in(workspace, mine)
            finally:
                self._forget(batch)
        return noted

    def _forget(self, batch: Sequence[_Waiting]) -> None:
        for delivery_id, times in Counter(one.token.delivery_id for one in batch).items():
            del self._of_mail[delivery_id][:times]
            if not self._of_mail[delivery_id]:
                del self._of_mail[delivery_id]

    def _taken(self, until: datetime | None) -> list[_Waiting]:
        batch: list[_Waiting] = []
        while self._waiting and len(batch) < _AT_A_TIME and (until is None or self._waiting[0].at <= until):
            batch.append(self._waiting.popleft())
        return batch

    async def _note_in(self, workspace: str, batch: Sequence[_Waiting]) -> int:
        async def unit() -> int:
            async with self._tools.store.write(workspace) as uow:
                judged = [await self._judged(uow, one) for one in batch]
                return sum([await uow.engagements.note(one) for one in judged if one is not None])

        return await persistently(unit)

    async def _judged(self, uow: UnitOfWork, one: _Waiting) -> Engagement | None:
        delivery = await uow.deliveries.get(one.token.delivery_id)
        if delivery is None:  # the prospect was removed meanwhile
            return None
        known = await uow.engagements.of_delivery(delivery.id)
        around = self._of_mail[delivery.id]
        others = [other.at for other in around if _other_link(other, one)]
        others += [other.at for other in known if other.kind != "open" and other.target != one.token.target]
        opened = "open" in {other.kind for other in known} | {other.kind for other in around}
        sight = Sight(
            one.kind,
            one.at,
            one.visit.agent,
            sent_at=_went_out(delivery),
            head=one.visit.head,
            others_at=others,
            opened=opened,
        )
        return Engagement(
            delivery_id=delivery.id,
            kind=one.kind,
            target=one.token.target,
            machine=is_machine(sight),
            at=one.at,
            enrollment_id=delivery.enrollment_id,
            campaign_id=delivery.campaign_id,
            stage=delivery.stage,
            agent="".join(char for char in one.visit.agent if char.isprintable())[:_LONGEST_AGENT],
        )


def _other_link(other: _Waiting, one: _Waiting) -> bool:
    return other.kind != "open" and other.token.target != one.token.target


def _went_out(delivery: Delivery) -> datetime | None:
    """When it was handed over; where nobody knows for certain, when that began."""
    return delivery.sent_at or delivery.claimed_at
