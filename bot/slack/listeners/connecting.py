"""The private link to the page where a mailbox is connected or mended, with what is known of the provider."""

from __future__ import annotations

import asyncio
import logging
from typing import Final

from bot.slack.blocks.connect_link import connect_link
from bot.slack.blocks.kit import Card
from bot.slack.read_models import ProviderFound
from bot.slack.uses import Connect, Services
from core.domain.account import Mailbox
from core.domain.actor import Actor
from core.errors import InputError, RethreadError

log = logging.getLogger("rethread.slack")

_LOOK_UP_SECONDS: Final = 5.0


class ConnectLinks:
    """Every method raises RethreadError kinds."""

    def __init__(self, services: Services, connect: Connect) -> None:
        self._services, self._connect = services, connect

    async def for_address(self, actor: Actor, address: str | None) -> Card:
        """For a new mailbox, or to mend the one that has this address already."""
        known = next((one for one in await self._services.mailboxes.list(actor) if _is(one, address)), None)
        return await (self.again(actor, known) if known else self._anew(actor, address))

    async def again(self, actor: Actor, mailbox: Mailbox) -> Card:
        """For a mailbox that is connected already: its settings and history stay (R49)."""
        found = await self._found(mailbox.address)
        token = await self._services.connecting.issue_ticket(actor, mailbox.id)
        return connect_link(
            self._connect.page(token),
            mailbox.address,
            secure=self._connect.secure,
            found=found,
            reconnect=True,
            sign_in=mailbox.sign_in,
        )

    async def _anew(self, actor: Actor, address: str | None) -> Card:
        wanted = address or actor.email or None
        found = await self._found(wanted)
        token = await self._services.connecting.issue_ticket(actor)
        page = self._connect.page(token, actor, address)
        return connect_link(page, wanted, secure=self._connect.secure, found=found)

    async def _found(self, address: str | None) -> ProviderFound | None:
        """None where nobody can say, or not soon: the link is good all the same. Raises InputError."""
        if self._services.discovery is None or not address:
            return None
        try:
            async with asyncio.timeout(_LOOK_UP_SECONDS):
                return await self._services.discovery.of(address)
        except InputError:
            raise
        except (RethreadError, TimeoutError) as error:
            log.info("action=discovery_failed error=%s", type(error).__name__)
            return None


def _is(mailbox: Mailbox, address: str | None) -> bool:
    return address is not None and mailbox.address.lower() == address.lower()
