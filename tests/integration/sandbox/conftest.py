"""A running mail host, and real clients for it that are closed when the test ends."""

import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack

import aiosmtplib
import pytest
from aioimaplib import aioimaplib

from sandbox.mail import MailHost

ImapLogin = Callable[..., Awaitable[aioimaplib.IMAP4]]
SmtpLogin = Callable[..., Awaitable[aiosmtplib.SMTP]]


@pytest.fixture
async def mail_host() -> AsyncIterator[MailHost]:
    async with MailHost() as host:
        yield host


@pytest.fixture
async def imap_connect(mail_host: MailHost) -> AsyncIterator[ImapLogin]:
    """Connects without signing in."""
    async with AsyncExitStack() as clients:

        async def connect(*, tls: bool = False) -> aioimaplib.IMAP4:
            name, _, port = (mail_host.imaps_address if tls else mail_host.imap_address).rpartition(":")
            if tls:
                context = ssl.create_default_context(cafile=mail_host.ca_file)
                client = aioimaplib.IMAP4_SSL(name, int(port), ssl_context=context, timeout=30)
            else:
                client = aioimaplib.IMAP4(name, int(port), timeout=30)
            await client.wait_hello_from_server()
            clients.callback(client.protocol.transport.abort)
            return client

        yield connect


@pytest.fixture
def imap_login(mail_host: MailHost, imap_connect: ImapLogin) -> ImapLogin:
    """Signs in with the account's own password and selects a folder."""

    async def login(address: str, folder: str = "INBOX") -> aioimaplib.IMAP4:
        client = await imap_connect()
        answer = await client.login(address, mail_host.account(address).password)
        assert answer.result == "OK"
        assert (await client.select(folder)).result == "OK"
        return client

    return login


@pytest.fixture
async def smtp_login(mail_host: MailHost) -> AsyncIterator[SmtpLogin]:
    """Signs in to one of the submission ports: "plain", "tls" or "starttls"."""
    async with AsyncExitStack() as clients:

        async def login(
            address: str = "rita@agency.test", password: str = "", security: str = "plain"
        ) -> aiosmtplib.SMTP:
            ports = {
                "plain": mail_host.smtp_address,
                "tls": mail_host.smtps_address,
                "starttls": mail_host.smtp_starttls_address,
            }
            name, _, port = ports[security].rpartition(":")
            client = aiosmtplib.SMTP(
                hostname=name,
                port=int(port),
                username=address,
                password=password or mail_host.account(address).password,
                use_tls=security == "tls",
                start_tls=security == "starttls",
                tls_context=ssl.create_default_context(cafile=mail_host.ca_file),
                timeout=30,
            )
            clients.callback(client.close)
            await client.connect()
            return client

        yield login
