"""The form of the connect page: what it proposes, what was typed, and whether that can be used. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final

from core.domain.account import Mailbox
from core.domain.address import is_valid
from core.ports.mail import Endpoint, Tls
from core.services.connecting import ConnectRequest

WHOLE_ADDRESS: Final = "Enter the whole e-mail address, such as rita@agency.test."
_MOST_TEXT: Final = 320
_MOST_PASSWORD: Final = 1_024
_HOST: Final = re.compile(r"[\w.:-]{1,253}")
_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]")
_IMAP_PORTS: Final = {Tls.SSL: 993, Tls.NONE: 143}
_SMTP_PORTS: Final = {Tls.SSL: 465, Tls.STARTTLS: 587, Tls.NONE: 25}


@dataclass(frozen=True, slots=True)
class ConnectForm:
    """The fields as a person sees them; the password is never among them."""

    address: str = ""
    display_name: str = ""
    username: str = ""
    imap_host: str = ""
    imap_port: str = ""
    imap_tls: str = "ssl"
    smtp_host: str = ""
    smtp_port: str = ""
    smtp_tls: str = "ssl"
    send: bool = True
    capture: bool = True


def form_of(mailbox: Mailbox) -> ConnectForm:
    """A reconnect begins with what is known."""
    return ConnectForm(
        address=mailbox.address,
        display_name=mailbox.display_name,
        username=mailbox.username if mailbox.username != mailbox.address else "",
        imap_host=mailbox.imap_host,
        imap_port=str(mailbox.imap_port),
        imap_tls=mailbox.imap_tls,
        smtp_host=mailbox.smtp_host,
        smtp_port=str(mailbox.smtp_port),
        smtp_tls=mailbox.smtp_tls,
        send=mailbox.send,
        capture=mailbox.capture,
    )


def typed(fields: Mapping[str, str]) -> ConnectForm:
    """What came with a POST, cut to the lengths a field may have."""

    def text(name: str) -> str:
        return fields.get(name, "").strip()[: _MOST_TEXT + 1]

    return ConnectForm(
        address=text("address"),
        display_name=text("display_name"),
        username=text("username"),
        imap_host=text("imap_host"),
        imap_port=text("imap_port"),
        imap_tls=text("imap_tls") or "ssl",
        smtp_host=text("smtp_host"),
        smtp_port=text("smtp_port"),
        smtp_tls=text("smtp_tls") or "ssl",
        send="send" in fields,
        capture="capture" in fields,
    )


def begun(address: str, name: str) -> ConnectForm:
    """A new mailbox's form with what is known of the person already; anything odd is left out."""
    address, name = address.strip(), name.strip()
    usable = name if len(name) <= _MOST_TEXT and not _CONTROL.search(name) else ""
    return ConnectForm(address=address if is_valid(address) else "", display_name=usable)


def completed(form: ConnectForm, imap: Endpoint | None = None, smtp: Endpoint | None = None) -> ConnectForm:
    """Servers and ports that were left empty, from what is proposed for the address, if anything is."""
    imap_host, imap_port, imap_tls = _server(form.imap_host, form.imap_port, form.imap_tls, imap, _IMAP_PORTS)
    smtp_host, smtp_port, smtp_tls = _server(form.smtp_host, form.smtp_port, form.smtp_tls, smtp, _SMTP_PORTS)
    return replace(
        form,
        imap_host=imap_host,
        imap_port=imap_port,
        imap_tls=imap_tls,
        smtp_host=smtp_host,
        smtp_port=smtp_port,
        smtp_tls=smtp_tls,
    )


def _server(
    host: str, port: str, tls: str, proposed: Endpoint | None, usual_ports: Mapping[Tls, int]
) -> tuple[str, str, str]:
    untouched = not host and not port and tls == Tls.SSL.value  # as the empty form shows it
    if untouched and proposed is not None:
        return proposed.host, str(proposed.port), proposed.tls.value
    usual = next((str(number) for kind, number in usual_ports.items() if kind.value == tls), "")
    return host or (proposed.host if proposed else ""), port or usual, tls


def faults(form: ConnectForm, password: str, *, allow_plain: bool) -> dict[str, str]:
    """Field to what is wrong with it, in the order of the page; empty where all can be used."""
    found: dict[str, str] = {}
    if not is_valid(form.address):
        found["address"] = WHOLE_ADDRESS
    for name in ("display_name", "username"):
        value = getattr(form, name)
        if len(value) > _MOST_TEXT or _CONTROL.search(value):
            found[name] = f"Use at most {_MOST_TEXT} ordinary characters."
    if not password:
        found["password"] = "Enter the password."
    elif len(password) > _MOST_PASSWORD or _CONTROL.search(password):
        found["password"] = f"Use at most {_MOST_PASSWORD} ordinary characters."
    found |= _server_faults("imap", form.imap_host, form.imap_port, form.imap_tls, _IMAP_PORTS, allow_plain)
    found |= _server_faults("smtp", form.smtp_host, form.smtp_port, form.smtp_tls, _SMTP_PORTS, allow_plain)
    if not (form.send or form.capture):
        found["send"] = "Choose at least one: without both there is nothing to connect for."
    return found


def _server_faults(
    side: str, host: str, port: str, tls: str, kinds: Mapping[Tls, int], allow_plain: bool
) -> dict[str, str]:
    found = {}
    # Left empty, a host is proposed by the address; where it still is empty, the address is what is wrong.
    if host and not _HOST.fullmatch(host):
        found[f"{side}_host"] = "Enter a server's name, such as mail.agency.test."
    if port and not (port.isascii() and port.isdecimal() and 0 < int(port) < 65_536):
        found[f"{side}_port"] = "Enter a port number, such as 993."
    if tls not in {kind.value for kind in kinds} or (tls == Tls.NONE.value and not allow_plain):
        found[f"{side}_tls"] = "Choose one of the kinds listed."
    return found


def request_of(form: ConnectForm, password: str) -> ConnectRequest:
    """What the mailbox service is asked, for a form without faults."""
    return ConnectRequest(
        address=form.address,
        username=form.username or form.address,
        password=password,
        imap=Endpoint(form.imap_host, int(form.imap_port), Tls(form.imap_tls)),
        smtp=Endpoint(form.smtp_host, int(form.smtp_port), Tls(form.smtp_tls)),
        display_name=form.display_name,
        send=form.send,
        capture=form.capture,
    )
