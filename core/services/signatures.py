"""What stands under a mailbox's campaign mails, and the further addresses it may write from (R171)."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Final

from core.domain.account import Mailbox
from core.domain.actor import Actor, require_mailbox, require_recruiter
from core.domain.address import is_valid, match_key
from core.domain.html_text import html_to_text
from core.domain.safe_html import safe_html
from core.errors import InputError, LostRaceError
from core.services.mailboxes import get_mailbox
from core.services.tools import Tools, persistently

MOST_TEXT: Final = 2_000
MOST_HTML: Final = 20_000
MOST_ALIASES: Final = 20
# Line breaks are welcome; marks that turn the reading direction or end a line unseen are not.
_CONTROL: Final = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]")


class SignatureService:
    """Use cases of a mailbox's owner and the admins."""

    def __init__(self, tools: Tools) -> None:
        self._tools = tools

    async def set_signature(self, actor: Actor, mailbox_id: str, text: str, html: str = "") -> Mailbox:
        """Both forms; from HTML alone the text is made. Empty texts take the signature away.

        Raises InputError (too long, control characters), NotAllowedError, NotFoundError.
        """
        text = text.replace("\r\n", "\n").strip()
        _require(text, "text", MOST_TEXT)
        _require(html, "html", MOST_HTML)
        page = safe_html(html)
        text = text or html_to_text(page)[:MOST_TEXT].strip()
        return await self._change(
            actor, mailbox_id, "mailbox.signature", lambda one: replace(one, signature_text=text, signature_html=page)
        )

    async def set_aliases(self, actor: Actor, mailbox_id: str, aliases: Sequence[str]) -> Mailbox:
        """Replaces them. Whether the host really sends from an alias, only the host knows. Raises as above, InputError
        also for what is no address and for one that is a mailbox of its own."""
        wanted = {match_key(alias): alias.strip() for alias in aliases if alias.strip()}
        if len(wanted) > MOST_ALIASES:
            raise InputError(f"more than {MOST_ALIASES} aliases", field="aliases")
        for alias in wanted.values():
            if not is_valid(alias):
                raise InputError(f"{alias[:80]!r} is not an e-mail address", field="aliases")
        async with self._tools.store.read(actor.workspace) as uow:
            taken = await uow.mailboxes.address_keys()
        mine = next((alias for key, alias in wanted.items() if key in taken), None)
        if mine is not None:
            raise InputError(
                f"{mine[:80]!r} is a connected mailbox already", field="aliases", fix="Name it in the campaign's From."
            )
        found = tuple(wanted.values())
        return await self._change(actor, mailbox_id, "mailbox.aliases", lambda one: replace(one, aliases=found))

    async def _change(
        self, actor: Actor, mailbox_id: str, action: str, change: Callable[[Mailbox], Mailbox]
    ) -> Mailbox:
        require_recruiter(actor)

        async def unit() -> Mailbox:
            async with self._tools.store.write(actor.workspace) as uow:
                mailbox = await get_mailbox(uow, mailbox_id)
                require_mailbox(actor, mailbox)
                changed = change(mailbox)
                if not await uow.mailboxes.save(changed):
                    raise LostRaceError
                await uow.audit.add(at=self._tools.clock.now(), actor=actor.user, action=action, subject=mailbox.id)
                return replace(changed, version=mailbox.version + 1)

        return await persistently(unit)


def _require(value: str, field: str, most: int) -> None:
    if len(value) > most:
        raise InputError(f"is longer than {most:,} characters", field=field)
    if _CONTROL.search(value):
        raise InputError("holds a control character", field=field, fix="Type it again, or paste it as plain text.")
