"""The sandbox's DNS server, asked by a real resolver."""

from collections.abc import Callable

import dns.asyncquery
import dns.asyncresolver
import dns.exception
import dns.flags
import dns.message
import dns.rcode
import dns.resolver
import pytest

from sandbox.mail import MailHost

Ask = Callable[[], dns.asyncresolver.Resolver]


@pytest.fixture
def resolver(mail_host: MailHost) -> dns.asyncresolver.Resolver:
    name, _, port = mail_host.dns_address.rpartition(":")
    found = dns.asyncresolver.Resolver(configure=False)
    found.nameservers = [name]
    found.port = int(port)
    found.lifetime = 3
    return found


async def texts(resolver: dns.asyncresolver.Resolver, name: str, kind: str) -> list[str]:
    return sorted(record.to_text() for record in await resolver.resolve(name, kind))


async def test_the_sample_sender_has_all_its_records(resolver: dns.asyncresolver.Resolver) -> None:
    """MX, SPF, DMARC and a whole DKIM key of the agency's domain."""
    assert await texts(resolver, "agency.test", "MX") == ["10 mail.agency.test."]
    assert await texts(resolver, "mail.agency.test", "A") == ["127.0.0.1"]
    assert await texts(resolver, "agency.test", "TXT") == ['"v=spf1 mx -all"']
    assert "v=DMARC1" in (await texts(resolver, "_dmarc.agency.test", "TXT"))[0]
    [key] = await resolver.resolve("default._domainkey.agency.test", "TXT")
    assert b"".join(key.strings).startswith(b"v=DKIM1; k=rsa; p=MII")
    assert await texts(resolver, "mx.candidates.example", "AAAA") == ["::1"]


async def test_services_name_the_host_s_own_ports(mail_host: MailHost, resolver: dns.asyncresolver.Resolver) -> None:
    """A mail program finds IMAP and submission by SRV (RFC 6186)."""
    port = mail_host.imaps_address.rpartition(":")[2]
    assert await texts(resolver, "_imaps._tcp.agency.test", "SRV") == [f"0 1 {port} imap.agency.test."]


async def test_an_answer_too_large_for_udp_comes_by_tcp(mail_host: MailHost) -> None:
    """Without EDNS the key does not fit 512 octets: truncated first, whole over TCP."""
    name, _, port = mail_host.dns_address.rpartition(":")
    mail_host.zones.set("big.agency.test", "TXT", *(f'"{number:0200}"' for number in range(5)))
    query = dns.message.make_query("big.agency.test", "TXT")
    cut = await dns.asyncquery.udp(query, name, timeout=30, port=int(port))
    assert cut.flags & dns.flags.TC
    assert cut.answer == []
    whole = await dns.asyncquery.tcp(query, name, timeout=30, port=int(port))
    assert len(whole.answer[0]) == 5


async def test_a_missing_type_differs_from_a_missing_name(resolver: dns.asyncresolver.Resolver) -> None:
    """NOERROR without data against NXDOMAIN."""
    with pytest.raises(dns.resolver.NoAnswer):
        await resolver.resolve("no-policy.example", "TXT")
    with pytest.raises(dns.resolver.NXDOMAIN):
        await resolver.resolve("never-heard.example", "MX")


async def test_a_domain_s_dns_can_be_broken_and_mended(
    mail_host: MailHost, resolver: dns.asyncresolver.Resolver
) -> None:
    """Each fault of the switch, seen by the resolver; mending the mailbox mends its domain."""
    await mail_host.switch("rita@agency.test", "dns", "spf")
    with pytest.raises(dns.resolver.NoAnswer):
        await resolver.resolve("agency.test", "TXT")
    await mail_host.switch("rita@agency.test", "dns", "dmarc")
    with pytest.raises(dns.resolver.NoAnswer):
        await resolver.resolve("_dmarc.agency.test", "TXT")
    await mail_host.switch("rita@agency.test", "dns", "nxdomain")
    with pytest.raises(dns.resolver.NXDOMAIN):
        await resolver.resolve("mail.agency.test", "A")
    await mail_host.switch("rita@agency.test", "dns", "servfail")
    with pytest.raises(dns.resolver.NoNameservers):
        await resolver.resolve("agency.test", "MX")
    mail_host.mend("rita@agency.test")
    assert await texts(resolver, "agency.test", "MX") == ["10 mail.agency.test."]


async def test_a_silent_name_server_times_out(mail_host: MailHost, resolver: dns.asyncresolver.Resolver) -> None:
    """No reply at all, which is not an answer."""
    mail_host.zones.break_domain("agency.test", "silent")
    resolver.lifetime = 0.2
    with pytest.raises(dns.exception.Timeout):
        await resolver.resolve("agency.test", "MX")


@pytest.mark.parametrize("wire", [b"", b"\x00", b"\xff" * 64])
async def test_what_is_no_dns_gets_no_reply(mail_host: MailHost, wire: bytes) -> None:
    """And the server goes on."""
    assert mail_host.zones.answer(wire) is None
    query = dns.message.make_query("agency.test", "MX")
    reply = mail_host.zones.answer(query.to_wire())
    assert reply is not None
    assert dns.message.from_wire(reply).rcode() == dns.rcode.NOERROR
