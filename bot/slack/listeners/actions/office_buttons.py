"""The do-not-contact list's windows, stopping and letting go on, coming back, a mailbox's signature."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass

from bot.slack import prospect_ids as ids
from bot.slack.blocks import blocklist, limits_left, signature_form
from bot.slack.form_values import Faults, SentFile, Values
from bot.slack.listeners.prospect_windows import Pressed
from bot.slack.prospect_uses import Outreach
from bot.slack.uses import Answer, Desk, MailboxUses
from core.domain.actor import Actor, require_admin, require_recruiter
from core.domain.do_not_contact import MAX_BYTES


@dataclass(frozen=True, slots=True)
class BlockRequest:
    lines: str
    files: tuple[SentFile, ...]


@dataclass(frozen=True, slots=True)
class SignatureRequest:
    """``keep_html``: the HTML was too long to be shown, and none was typed."""

    mailbox_id: str
    text: str
    html: str
    keep_html: bool
    aliases: tuple[str, ...]


class OfficeButtons:
    """Raises RethreadError kinds; the desk tells them to whoever pressed."""

    def __init__(self, desk: Desk, outreach: Outreach, mailboxes: MailboxUses) -> None:
        self._desk, self._outreach, self._mailboxes = desk, outreach, mailboxes

    def handlers(self) -> dict[str, Callable[[Actor, Pressed], Awaitable[Answer]]]:
        """Action id to what pressing it does."""
        return {
            ids.BLOCK_ADD: self._ask_block,
            ids.BLOCK_REMOVE: self._ask_unblock,
            ids.STOP_EVERYTHING: self._stop,
            ids.RESUME_EVERYTHING: self._resume,
            ids.COME_BACK: self._come_back,
        }

    async def _ask_block(self, actor: Actor, _: Pressed) -> Answer:
        require_recruiter(actor)
        return blocklist.add_form()

    async def _ask_unblock(self, actor: Actor, _: Pressed) -> Answer:
        require_admin(actor)
        return blocklist.remove_form()

    async def _stop(self, actor: Actor, _: Pressed) -> Answer:
        await self._outreach.stops.stop_everything(actor)
        return limits_left.stopped()

    async def _resume(self, actor: Actor, _: Pressed) -> Answer:
        return limits_left.resumed(await self._outreach.stops.resume_everything(actor))

    async def _come_back(self, actor: Actor, _: Pressed) -> Answer:
        return limits_left.back(await self._outreach.stops.back(actor), replaces=True)

    # Windows that were sent off

    def read_block(self, values: Values, _: Mapping[str, str]) -> BlockRequest | Faults:
        request = BlockRequest(values.text("lines"), values.files("file"))
        if not request.lines and not request.files:
            return Faults({"lines": "Type at least one address or @domain, or choose a file."})
        return request

    async def block(self, actor: Actor, request: BlockRequest) -> Answer:
        parts = [request.lines.encode()]
        parts += [await self._desk.fetch(file, MAX_BYTES) for file in request.files[:1]]
        return blocklist.added(await self._outreach.blocks.import_text(actor, b"\n".join(parts)))

    def read_unblock(self, values: Values, _: Mapping[str, str]) -> str | Faults:
        return values.text("entry") or Faults({"entry": "Which address or @domain?"})

    async def unblock(self, actor: Actor, entry: str) -> Answer:
        return blocklist.taken_off((await self._outreach.blocks.remove(actor, entry)).key)

    def read_signature(self, values: Values, kept: Mapping[str, str]) -> SignatureRequest | Faults:
        html, aliases = values.text("html"), values.text("aliases").replace(",", "\n").split()
        strange = next((one for one in aliases if "@" not in one), None)
        if strange is not None:
            return Faults({"aliases": f"“{strange[:60]}” is no e-mail address."})
        keep = bool(kept.get("long")) and not html
        return SignatureRequest(kept.get("id", ""), values.text("text"), html, keep, tuple(aliases))

    async def save_signature(self, actor: Actor, request: SignatureRequest) -> Answer:
        html = request.html
        if request.keep_html:
            html = (await self._mailboxes.get(actor, request.mailbox_id)).signature_html
        signatures = self._outreach.signatures
        await signatures.set_signature(actor, request.mailbox_id, request.text, html)
        return signature_form.signature_saved(await signatures.set_aliases(actor, request.mailbox_id, request.aliases))
