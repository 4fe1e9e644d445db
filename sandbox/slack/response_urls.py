"""response_url: five answers within half an hour to a command or a click."""

import json
import secrets
from dataclasses import dataclass
from typing import Any

from aiohttp import web

from sandbox.slack.config import Json
from sandbox.slack.ids import Clock
from sandbox.slack.journal import Journal
from sandbox.slack.model import Message
from sandbox.slack.posting import RefusedError, post_as_bot, read_content
from sandbox.slack.state import Workspace

USES = 5
SECONDS = 30 * 60.0


@dataclass
class _Hook:
    user: str
    channel: str
    expires: float
    message: Message | None
    uses: int = 0


class ResponseUrls:
    """Issues response URLs and answers the app's POSTs to them."""

    def __init__(self, workspace: Workspace, journal: Journal, clock: Clock) -> None:
        self._workspace = workspace
        self._journal = journal
        self._clock = clock
        self._hooks: dict[str, _Hook] = {}
        self.base_url = ""

    def new(self, kind: str, user: str, channel: str, message: Message | None = None) -> str:
        """Return a URL for answers to one command or click (``kind``: commands or actions)."""
        name = f"{self._workspace.team_id}/{secrets.randbelow(10**13)}/{secrets.token_urlsafe(18)}"
        self._hooks[name] = _Hook(user, channel, self._clock() + SECONDS, message)
        return f"{self.base_url}/{kind}/{name}"

    async def handle(self, request: web.Request) -> web.Response:
        """Answer one POST: ``ok`` as text, or Slack's JSON error with 404 or 400."""
        hook = self._hooks.get(request.match_info["name"])
        try:
            body = json.loads(await request.text() or "{}")
        except ValueError:
            return self._refuse(None, "invalid_payload", 400)
        if not isinstance(body, dict):
            return self._refuse(body, "invalid_payload", 400)
        if hook is None:
            return self._refuse(body, "no_service", 404)
        if self._clock() > hook.expires:
            return self._refuse(body, "expired_url", 404)
        if hook.uses >= USES:
            return self._refuse(body, "used_url", 404)
        hook.uses += 1
        try:
            self.apply(hook.user, hook.channel, body, hook.message)
        except RefusedError as error:
            return self._refuse(body, error.code, 400)
        self._journal.add("response_url", "answer", request=body)
        return web.Response(text="ok")

    def apply(self, user: str, channel: str, body: Json, original: Message | None = None) -> None:
        """Do what an answer asks: post, post for one person only, replace or delete the original."""
        if body.get("delete_original"):
            if original is not None:
                self._workspace.delete(original)
            return
        content = read_content(body)
        if body.get("replace_original") and original is not None:
            self._workspace.edit(
                original,
                text=content.text,
                blocks=content.blocks,
                attachments=content.attachments,
                edited_by=None,
            )
            return
        public = body.get("response_type") == "in_channel"
        thread_ts = body.get("thread_ts")
        post_as_bot(
            self._workspace,
            channel,
            content,
            ephemeral_to=None if public else user,
            thread_ts=thread_ts if isinstance(thread_ts, str) else None,
        )

    def _refuse(self, body: Any, code: str, status: int) -> web.Response:
        self._journal.add("response_url", "refused", request=body, error=code)
        return web.json_response({"ok": False, "error": code}, status=status)
