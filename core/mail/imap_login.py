"""Logs in to an IMAP server: XOAUTH2, LOGIN or PLAIN, and tells a refusal from a passing fault."""

from __future__ import annotations

import base64
import re

from core.errors import LoginRefusedError, MailError, ServerRefusedError
from core.mail.imap_names import quote
from core.mail.imap_protocol import ImapCommand, ImapProtocol
from core.ports.mail import Credentials

# RFC 5530: the account may be in good order, only not now.
_NOT_NOW = re.compile(r"NO \[(UNAVAILABLE|INUSE|LIMIT|SERVERBUG)\b", re.IGNORECASE)
_SPOKEN = (b"* NO ", b"* BAD ", b"* OK [ALERT]")


async def log_in(protocol: ImapProtocol, credentials: Credentials) -> None:
    """Raises LoginRefusedError with the server's words, ServerRefusedError where it says "not now" or BAD."""
    if protocol.greeting.result().startswith("* PREAUTH"):
        return
    if not protocol.capabilities:
        await protocol.read_capabilities()
    try:
        command = await _attempt(protocol, credentials)
    except (ValueError, UnicodeError):  # control characters; the text of these errors could hold the secret
        raise LoginRefusedError(
            "the user name or password holds characters that cannot be sent", layer="imap", host=protocol.host
        ) from None
    if command.result != "OK":
        raise _refusal(protocol, command)


async def _attempt(protocol: ImapProtocol, credentials: Credentials) -> ImapCommand:
    user, token = credentials.username, credentials.access_token
    if token:
        return await _authenticate(protocol, "XOAUTH2", f"user={user}\1auth=Bearer {token}\1\1")
    # LOGIN's quoted strings are ASCII (RFC 3501 9); PLAIN takes UTF-8 (RFC 4616).
    if protocol.has("AUTH=PLAIN") and (protocol.has("LOGINDISABLED") or not (user + credentials.password).isascii()):
        return await _authenticate(protocol, "PLAIN", f"\0{user}\0{credentials.password}")
    return await protocol.attempt("LOGIN", quote(user), quote(credentials.password))


async def _authenticate(protocol: ImapProtocol, mechanism: str, initial: str) -> ImapCommand:
    encoded = base64.b64encode(initial.encode()).decode("ascii")
    if protocol.has("SASL-IR"):
        return await protocol.attempt("AUTHENTICATE", mechanism, encoded)
    return await protocol.attempt("AUTHENTICATE", mechanism, continuations=[encoded.encode("ascii") + b"\r\n"])


def _refusal(protocol: ImapProtocol, command: ImapCommand) -> MailError:
    # Untagged words come first: Gmail says there which page to open (WEBALERT). The challenge tells the wanted scope.
    spoken = [raw.decode("utf-8", "replace")[:500] for raw in command.responses if raw.upper().startswith(_SPOKEN)]
    raw = " ".join(part for part in (command.words, *spoken, command.challenge) if part)
    if command.result == "BAD" or _NOT_NOW.match(command.words):
        return ServerRefusedError(raw, layer="imap", host=protocol.host)
    return LoginRefusedError(raw, layer="imap", host=protocol.host)
