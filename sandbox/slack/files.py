"""Uploaded files: the address each is sent to, what is kept of it, and its bytes for the page."""

import secrets
import struct
from collections.abc import Callable
from dataclasses import dataclass, field
from urllib.parse import quote

from aiohttp import web

from sandbox.slack.config import Json
from sandbox.slack.ids import Clock, random_id
from sandbox.slack.journal import Journal
from sandbox.slack.state import Workspace
from sandbox.slack.tokens import Tokens

MOST_BYTES = 8 * 1024 * 1024
UPLOAD_SECONDS = 15 * 60.0
_SIGNATURES = {
    b"\x89PNG\r\n\x1a\n": ("png", "PNG", "image/png"),
    b"\xff\xd8\xff": ("jpg", "JPEG", "image/jpeg"),
    b"GIF8": ("gif", "GIF", "image/gif"),
}


@dataclass
class SlackFile:
    """A file from the moment its upload was announced. ``shared`` maps conversations to the message it is in."""

    id: str
    name: str
    title: str
    alt_txt: str
    length: int
    owner: str
    created: float
    ticket: str
    address: str = ""
    content: bytes | None = None
    complete: bool = False
    shared: dict[str, str] = field(default_factory=dict)

    @property
    def kind(self) -> tuple[str, str, str]:
        """File type, its name and its MIME type, by the first bytes: what a name says may be wrong."""
        content = self.content or b""
        return next((kind for start, kind in _SIGNATURES.items() if content.startswith(start)), _BINARY)

    def to_api(self) -> Json:
        """Return the file object of files.info and of messages."""
        filetype, pretty, mimetype = self.kind
        found: Json = {
            "id": self.id,
            "created": int(self.created),
            "timestamp": int(self.created),
            "name": self.name,
            "title": self.title,
            "mimetype": mimetype,
            "filetype": filetype,
            "pretty_type": pretty,
            "user": self.owner,
            "size": self.length,
            "mode": "hosted",
            "is_external": False,
            "url_private": self.address,
            "url_private_download": self.address.replace("/files-pri/", "/files-pri/download/"),
            "is_public": False,
            "channels": sorted(one for one in self.shared if one.startswith("C")),
            "groups": sorted(one for one in self.shared if one.startswith("G")),
            "ims": sorted(one for one in self.shared if one.startswith("D")),
        }
        if self.alt_txt:
            found["alt_txt"] = self.alt_txt
        if filetype == "png":
            found["original_w"], found["original_h"] = _png_size(self.content or b"")
        return found


_BINARY = ("binary", "Binary", "application/octet-stream")


def _png_size(content: bytes) -> tuple[int, int]:
    """Width and height from the picture's first chunk (PNG specification, IHDR)."""
    return struct.unpack(">II", content[16:24]) if len(content) >= 24 else (0, 0)


class Files:
    """The files of a workspace, and the two addresses where bytes go in and out."""

    def __init__(
        self, workspace: Workspace, journal: Journal, clock: Clock, tokens: Tokens, base_url: Callable[[], str]
    ) -> None:
        self._workspace = workspace
        self._tokens = tokens
        self._base_url = base_url
        self._journal = journal
        self._clock = clock
        self._files: dict[str, SlackFile] = {}
        self._tickets: dict[str, SlackFile] = {}

    def routes(self) -> list[web.RouteDef]:
        """Return the routes, for the server to mount."""
        return [
            web.post("/upload/v1/{ticket}", self.take),
            web.get("/files-pri/{team}-{file}/{name}", self.give),
            web.get("/files-pri/download/{team}-{file}/{name}", self.give),
            web.get("/page/file", self.show),
            web.post("/page/file_input", self.put_in),
        ]

    def announce(self, name: str, length: int, alt_txt: str, owner: str) -> SlackFile:
        """Remember a file whose bytes are to come to ``/upload/v1/{ticket}``."""
        ticket = secrets.token_urlsafe(30)
        file = SlackFile(random_id("F"), name, name, alt_txt, length, owner, self._clock(), ticket)
        file.address = f"{self._base_url()}/files-pri/{self._workspace.team_id}-{file.id}/{quote(name, safe='')}"
        self._files[file.id] = self._tickets[ticket] = file
        return file

    def hand_in(self, user: str, name: str, content: bytes) -> SlackFile:
        """Keep a file that a person puts into a window's file_input; the app reads it with its token."""
        file = self.announce(name, len(content), "", user)
        file.content, file.complete = content, True
        return file

    async def put_in(self, request: web.Request) -> web.Response:
        """Take a file from the page, and answer with its file object, as it will stand in the view's state."""
        user, name = request.query.get("user", ""), request.query.get("name", "")
        if user not in self._workspace.users or not name:
            raise web.HTTPNotFound
        return web.json_response({"ok": True, "file": self.hand_in(user, name[:255], await request.read()).to_api()})

    def get(self, file_id: str) -> SlackFile | None:
        """Return a file, or None."""
        return self._files.get(file_id)

    async def take(self, request: web.Request) -> web.Response:
        """Take the bytes of an announced file, once: raw, or as a form with one file in it."""
        started = self._clock()
        file = self._tickets.get(request.match_info["ticket"])
        if file is None or file.content is not None or self._clock() > file.created + UPLOAD_SECONDS:
            return self._refused("no_such_upload", 404, started)
        content = await _sent(request)
        if len(content) != file.length:
            return self._refused(f"expected {file.length} bytes, got {len(content)}", 400, started)
        file.content = content
        self._journal.add("api", "upload", request={"file": file.id, "bytes": len(content)}, started=started)
        return web.Response(text=f"OK - {len(content)}")

    def _refused(self, why: str, status: int, started: float) -> web.Response:
        self._journal.add("api", "upload", error=why, started=started)
        return web.Response(text=why, status=status)

    async def give(self, request: web.Request) -> web.Response:
        """Give a file to the app: its token in the header, with files:read. Everybody else is led to sign in."""
        file = self.get(request.match_info["file"])
        token = request.headers.get("Authorization", "").removeprefix("Bearer ")
        known = token == self._tokens.bot and self._tokens.state is None and "files:read" in self._tokens.scopes
        if not known or file is None or not file.complete:
            raise web.HTTPFound("/")
        return web.Response(body=file.content, content_type=file.kind[2])

    async def show(self, request: web.Request) -> web.Response:
        """Give a file to the page of somebody who sees a conversation that it was shared in: a picture to be shown, all
        else to be saved only, since it would run in the page's own origin."""
        file = self.get(request.query.get("file", ""))
        if file is None or not self._visible(file, request.query.get("user", "")):
            raise web.HTTPNotFound
        mimetype = file.kind[2]
        headers = {"X-Content-Type-Options": "nosniff"}
        if not mimetype.startswith("image/"):
            headers["Content-Disposition"] = f"attachment; filename*=UTF-8''{quote(file.name, safe='')}"
        return web.Response(body=file.content, content_type=mimetype, headers=headers)

    def _visible(self, file: SlackFile, user: str) -> bool:
        channels = (self._workspace.channels[one] for one in file.shared)
        return user in self._workspace.users and any(self._workspace.sees(user, channel) for channel in channels)


async def _sent(request: web.Request) -> bytes:
    if not request.content_type.startswith("multipart/"):
        return await request.read()
    for value in (await request.post()).values():
        if isinstance(value, web.FileField):
            content: bytes = value.file.read()
            return content
    return b""
