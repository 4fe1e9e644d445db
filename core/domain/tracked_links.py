"""The links that Rethread puts into a mail, and where it may (R174..R176, RFC 2369, RFC 8058). Pure.

Only the HTML part is tracked; the text part says what its author wrote. Without HTTPS nothing is tracked: links over
plain HTTP would show everybody on the way who reads what. A machine of one's own (the sandbox) is the exception.
"""

from __future__ import annotations

import html
import ipaddress
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import quote, urlsplit

from core.domain.tracking_token import LinkKind, Token, TokenSigner

_LINK: Final = re.compile(
    r"""(<a\s(?:[^<>]{0,2000}?\s)?href\s{0,5}=\s{0,5})(?:"([^"<>]{1,8000})"|'([^'<>]{1,8000})')""", re.I
)
_BODY_END: Final = re.compile(r"</body\s{0,5}>", re.I)
_UNSUBSCRIBE: Final = re.compile(r"\s{0,10}unsubscribe\s{1,10}([A-Za-z0-9_-]{20,3600})\s{0,10}", re.I)


@dataclass(frozen=True, slots=True)
class Links:
    """Makes links that begin with ``public_url``; ``private_hosts``: this is a machine of one's own, where plain HTTP
    on loopback may be tracked."""

    signer: TokenSigner
    public_url: str
    private_hosts: bool = False

    @property
    def https(self) -> bool:
        """Whether mail programs may be given a link that unsubscribes by one click (RFC 8058 asks for HTTPS)."""
        return self.public_url.startswith("https://")

    @property
    def may_track(self) -> bool:
        return self.https or (self.private_hosts and _is_loopback(self.public_url))

    def open(self, workspace: str, delivery_id: str) -> str | None:
        return self._url(Token(LinkKind.OPEN, workspace, delivery_id))

    def click(self, workspace: str, delivery_id: str, target: str) -> str | None:
        return self._url(Token(LinkKind.CLICK, workspace, delivery_id, target))

    def file(self, workspace: str, delivery_id: str, name: str) -> str | None:
        return self._url(Token(LinkKind.FILE, workspace, delivery_id, name))

    def unsubscribe(self, workspace: str, delivery_id: str, recipient: str) -> str | None:
        """Names the recipient, so that it is honoured even when the prospect has been removed meanwhile."""
        return self._url(Token(LinkKind.UNSUBSCRIBE, workspace, delivery_id, recipient))

    def unsubscribe_by_mail(self, workspace: str, delivery_id: str, recipient: str, *, to: str) -> str | None:
        """A mailto link (RFC 6068) to one of our mailboxes."""
        token = self.signer.write(Token(LinkKind.UNSUBSCRIBE, workspace, delivery_id, recipient))
        return f"mailto:{quote(to, safe='@+')}?subject=unsubscribe%20{token}" if token else None

    def unsubscribed_by(self, subject: str) -> Token | None:
        """The token in the subject of a mail that asks not to be written to any more."""
        found = _UNSUBSCRIBE.fullmatch(subject) if len(subject) < 4_000 else None
        return self.signer.read(found[1], LinkKind.UNSUBSCRIBE) if found else None

    def with_clicks(self, page: str, workspace: str, delivery_id: str) -> str:
        """HTML in which web links lead through us; our own and those too long to sign stay as they are."""

        def tracked(found: re.Match[str]) -> str:
            target = html.unescape(found[2] or found[3])
            ours = target.startswith(f"{self.public_url}/")
            url = self.click(workspace, delivery_id, target) if is_web_link(target) and not ours else None
            return f'{found[1]}"{html.escape(url)}"' if url else found[0]

        return _LINK.sub(tracked, page)

    def with_pixel(self, page: str, workspace: str, delivery_id: str) -> str:
        """HTML that asks us for a picture when it is shown."""
        url = self.open(workspace, delivery_id)
        if url is None:
            return page
        return appended(page, f'<img src="{html.escape(url)}" width="1" height="1" alt="">')

    def _url(self, token: Token) -> str | None:
        text = self.signer.write(token)
        return f"{self.public_url}/{token.kind.value}/{text}" if text else None


def appended(page: str, more: str) -> str:
    """HTML with something at its end: inside the body, where it says where that ends."""
    end = _BODY_END.search(page)
    return f"{page[: end.start()]}{more}\n{page[end.start() :]}" if end else f"{page}\n{more}"


def is_web_link(target: str) -> bool:
    """Whether a browser may be sent there: http or https, with a host, and nothing that ends a header line."""
    if not target.isprintable() or " " in target or "\\" in target:
        return False
    try:
        parts = urlsplit(target)
        return parts.scheme in ("http", "https") and bool(parts.hostname)
    except ValueError:
        return False


def _is_loopback(url: str) -> bool:
    host = urlsplit(url).hostname or ""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")


@dataclass(frozen=True, slots=True)
class Tracking:
    """What of a campaign's mails is counted. Without a word in its file opens and clicks are; files are attached."""

    opens: bool = False
    clicks: bool = False
    downloads: bool = False

    @classmethod
    def of(cls, asked: Any, *, allowed: bool) -> Tracking:
        """``asked``: the campaign file's ``tracking``; ``allowed``: workspace and public address permit it."""
        if not allowed or asked is False:
            return cls()
        each = asked if isinstance(asked, Mapping) else {}
        return cls(
            opens=each.get("opens", True) is True,
            clicks=each.get("clicks", True) is True,
            downloads=each.get("downloads", False) is True,
        )
