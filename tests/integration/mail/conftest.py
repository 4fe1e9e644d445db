"""What the tests of the mail adapters share: certificates, and clients with short deadlines."""

from __future__ import annotations

import ssl
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
import trustme

from core.clock import SystemClock
from core.mail.dialler import Dialler
from core.mail.dns import Resolver
from core.mail.imap import ImapClient, ImapConnector, ImapTimeouts
from core.mail.imap_protocol import ProtocolLimits
from core.mail.tls import make_tls_context
from core.ports.mail import Credentials, Endpoint

RITA = Credentials("rita@agency.test", "s3cret-pass")
QUICK = ImapTimeouts(connect=5, login=5, command=5, fetch=5, close=1, poll=0.05)


@dataclass(frozen=True)
class Certificates:
    """A private authority: what the server shows, and what the client trusts."""

    server: ssl.SSLContext
    client: ssl.SSLContext
    ca_file: Path


@pytest.fixture(scope="session")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    authority = trustme.CA()
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("localhost", "127.0.0.1").configure_cert(server)
    ca_file = tmp_path_factory.mktemp("ca") / "ca.pem"
    authority.cert_pem.write_to_path(str(ca_file))
    return Certificates(server, make_tls_context(ca_file), ca_file)


@pytest.fixture
def connector(certificates: Certificates) -> ImapConnector:
    return make_connector(certificates)


def make_connector(
    certificates: Certificates, *, timeouts: ImapTimeouts = QUICK, limits: ProtocolLimits | None = None
) -> ImapConnector:
    dialler = Dialler(Resolver(SystemClock()), allow_private=True)
    return ImapConnector(dialler, certificates.client, timeouts=timeouts, limits=limits)


Open = Callable[[Endpoint], Awaitable[ImapClient]]


@pytest.fixture
def open_client(connector: ImapConnector) -> Open:
    """Connects and logs Rita in."""

    async def connect(endpoint: Endpoint) -> ImapClient:
        return await connector.connect(endpoint, RITA)

    return connect
