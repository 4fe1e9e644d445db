"""The product's own clients at the host's servers: by name through the sandbox's DNS, with TLS and tokens."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from core.clock import SystemClock
from core.domain.diagnosis import Failure, diagnose
from core.errors import LoginRefusedError, MailError, UnreachableError
from core.mail.dialler import Dialler
from core.mail.dns import Resolver
from core.mail.imap import ImapConnector
from core.mail.smtp import SmtpTransport
from core.mail.tls import make_tls_context
from core.ports.mail import Credentials, Endpoint, Tls
from sandbox.mail import MailHost
from sandbox.mail.compose import compose
from tests.integration.mail.conftest import QUICK

GOOGLE = "rita@sprout.test"
MICROSOFT = "rita@meridian.test"
MAYA = "maya.lind@candidates.example"
HOSTED = pytest.mark.parametrize("address", [GOOGLE, MICROSOFT])


@dataclass
class Product:
    """What the product connects with, its DNS pointed at the sandbox."""

    host: MailHost
    connector: ImapConnector
    transport: SmtpTransport

    def imap(self, address: str) -> Endpoint:
        account = self.host.account(address)
        return _endpoint(self.host.host_names(account)[0], self.host.site(account).imaps_address, Tls.SSL)

    def smtp(self, address: str) -> Endpoint:
        account = self.host.account(address)
        return _endpoint(self.host.host_names(account)[1], self.host.site(account).smtp_starttls_address, Tls.STARTTLS)

    def credentials(self, address: str, lifetime_s: float = 60.0) -> Credentials:
        provider = self.host.account(address).seed.provider
        assert provider != "password"
        token = self.host.tokens.issue(address, provider=provider, lifetime_s=lifetime_s)
        return Credentials(address, "", access_token=token)


def _endpoint(name: str, address: str, tls: Tls) -> Endpoint:
    return Endpoint(name, int(address.rpartition(":")[2]), tls)


def cause(error: MailError) -> str:
    return diagnose(Failure(error.layer, error.raw, error.host)).cause


@pytest.fixture
async def product(mail_host: MailHost) -> AsyncIterator[Product]:
    dialler = Dialler(Resolver(SystemClock(), server=mail_host.dns_address), allow_private=True)
    context = make_tls_context(Path(mail_host.ca_file))
    transport = SmtpTransport(dialler, context)
    yield Product(mail_host, ImapConnector(dialler, context, timeouts=QUICK), transport)
    await transport.close()


@HOSTED
async def test_a_token_reads_and_sends(product: Product, address: str) -> None:
    """The copy that the provider files into Sent is there to be read."""
    raw = compose(address, [MAYA], "A role for you", "Hi", headers={"Message-ID": "<1@sprout.test>"})
    credentials = product.credentials(address)
    await product.transport.send(product.smtp(address), credentials, sender=address, recipients=[MAYA], raw=raw)
    client = await product.connector.connect(product.imap(address), credentials)
    roles = {folder.role: folder.name for folder in await client.list_folders()}
    assert (await client.select(roles["sent"])).exists == 1
    await client.close()
    assert len(product.host.messages(MAYA)) == 1


@HOSTED
async def test_a_stale_token_is_refused_in_words_the_product_knows(product: Product, address: str) -> None:
    """Google's challenge comes with the refusal; Microsoft's words are all there is."""
    stale = product.credentials(address, lifetime_s=-1)
    with pytest.raises(LoginRefusedError) as refused:
        await product.connector.connect(product.imap(address), stale)
    assert ("Bearer" in refused.value.raw) == (address == GOOGLE)
    with pytest.raises(LoginRefusedError):
        await product.transport.verify(product.smtp(address), stale)


@HOSTED
@pytest.mark.parametrize(
    ("switch", "value", "expected"),
    [
        ("certificate", "expired", "tls_cert_expired"),
        ("certificate", "wrong_name", "tls_hostname_mismatch"),
        ("certificate", "untrusted", "tls_cert_untrusted"),
        ("host_name", "nxdomain", "dns_name_unknown"),
        ("host_name", "servfail", "dns_temporary_failure"),
    ],
)
async def test_a_broken_name_or_certificate_is_named(
    product: Product, address: str, switch: str, value: str, expected: str
) -> None:
    """By IMAP and by SMTP alike."""
    await product.host.switch(address, switch, value)
    credentials = product.credentials(address)
    with pytest.raises(UnreachableError) as by_imap:
        await product.connector.connect(product.imap(address), credentials)
    with pytest.raises(MailError) as by_smtp:
        await product.transport.verify(product.smtp(address), credentials)
    assert (cause(by_imap.value), cause(by_smtp.value)) == (expected, expected)
