"""Where an address's mail is and by which servers to reach it, found out so that nobody has to know (R54..R59).

Who the provider is comes from DNS: MX, and SPF where a filter stands in front. The servers come from what the domain
publishes (SRV: RFC 6186, RFC 8314; the autoconfig file of mail programs), else from what is known of the provider, else
they are guessed. Trouble with DNS is called that, never a missing provider.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Final, Protocol
from urllib.parse import quote

from core.domain.address import domain_of, is_valid, match_key
from core.domain.autoconfig import AutoconfigError, read_autoconfig
from core.domain.dns_checks.names import host_name
from core.domain.dns_checks.spf import provider_by_spf
from core.domain.dns_checks.spf_record import spf_records, terms
from core.domain.dns_checks.view import Kind, Question, View
from core.domain.mail_servers import Server, Servers, guesses, known_servers
from core.domain.providers import facts, is_gateway, provider_of_host, provider_of_mx
from core.errors import InputError, MailError
from core.ports.mail import Endpoint, NameResolver, Tls
from core.ports.signin import PASSWORD, SignInProvider

_IMAP: Final = (("_imaps._tcp", Tls.SSL),)
_SMTP: Final = (("_submissions._tcp", Tls.SSL), ("_submission._tcp", Tls.STARTTLS))


class AutoconfigSource(Protocol):
    """Fetches a file over HTTPS from a host that a stranger named."""

    async def fetch(self, url: str) -> bytes | None:
        """None where there is none. Raises MailError kinds: dns, tls, or an answer that breaks the rules."""
        ...


@dataclass(frozen=True, slots=True)
class Found:
    """Where an address's mail is. ``provider`` is a key of ``providers.PROVIDERS``, empty where unknown; ``sign_in`` is
    google, microsoft or password; ``how`` is the evidence and ``warnings`` what speaks against it, each in words."""

    address: str
    provider: str = ""
    label: str = ""
    how: tuple[str, ...] = ()
    sign_in: str = PASSWORD
    warnings: tuple[str, ...] = ()
    mx_hosts: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Proposal:
    """Servers to try. ``how`` says in words where they are from; ``certain`` is False where they are guessed, and
    ``username`` is empty where it is the address."""

    imap: Endpoint
    smtp: Endpoint
    how: str
    certain: bool
    username: str = ""


class Discovery:
    """Asks DNS and the domain's own web hosts; nothing is stored.

    ``services`` are the sign-in services that are set up here; ``safe`` says whether a browser can come back from them
    (HTTPS, or this machine). ``look_up_s`` and ``publish_s`` bound the two steps, in seconds.
    """

    def __init__(
        self,
        resolver: NameResolver,
        autoconfig: AutoconfigSource | None,
        services: Mapping[str, SignInProvider],
        *,
        safe: bool,
        look_up_s: float = 4.0,
        publish_s: float = 6.0,
    ) -> None:
        self._resolver = resolver
        self._autoconfig = autoconfig
        self._services = services
        self._safe = safe
        self._look_up_s, self._publish_s = look_up_s, publish_s

    @property
    def offered(self) -> tuple[str, ...]:
        """Names of the sign-in services that people can use here."""
        return tuple(self._services) if self._safe else ()

    async def of(self, address: str) -> Found:
        """Who has the mail of this address, by DNS alone, within four seconds. Raises InputError."""
        address = address.strip()
        if not is_valid(address):
            raise InputError(f"{address[:80]!r} is not an e-mail address", field="address")
        domain = domain_of(match_key(address))
        own = provider_of_host(domain)
        if own is not None:
            return self._judged(Found(address, own, how=(f"{domain} is {facts(own).label}’s own",)))
        mx, txt = await asyncio.gather(self._asked(self._mx(domain)), self._asked(self._resolver.txt(domain)))
        return self._judged(_by_dns(address, domain, mx, txt))

    async def look(self, address: str) -> tuple[Found, Proposal]:
        """The same, and the servers to try, which may tell the provider where DNS does not. Raises InputError."""
        found = await self.of(address)
        proposal = await self.propose(found)
        provider = None if found.provider else provider_of_host(proposal.imap.host)
        if provider is not None:
            told = f"The server {proposal.imap.host} is {facts(provider).label}’s"
            found = self._judged(replace(found, provider=provider, how=(*found.how, told)))
        return found, proposal

    async def propose(self, found: Found) -> Proposal:
        """Servers for what was found, within about ten seconds at worst."""
        domain = domain_of(match_key(found.address))
        service = self._services.get(found.provider)
        if service is not None:
            return Proposal(service.imap, service.smtp, f"These are {facts(found.provider).label}’s servers.", True)
        known = _known(found, domain)
        # A web host answers autoconfig for every domain on it, wherever the mail is.
        if known is not None and facts(found.provider).oauth:
            return known
        trouble: list[str] = []
        with suppress(TimeoutError):
            async with asyncio.timeout(self._publish_s):
                published = await self._by_srv(domain, trouble) or await self._by_file(found.address, domain, trouble)
                if published is not None:
                    return published
        return known or await self._guessed(domain, trouble)

    def _judged(self, found: Found) -> Found:
        """What a provider's facts, and what is set up here, mean for the person."""
        known, warnings = facts(found.provider), list(found.warnings)
        sign_in = found.provider if found.provider in self.offered else PASSWORD
        if known.oauth and sign_in == PASSWORD:
            warnings.append(_not_offered(known.label, found.provider, set_up=found.provider in self._services))
        if known.warning:
            warnings.append(known.warning)
        return replace(
            found,
            label=known.label if found.provider else "",
            sign_in=sign_in,
            warnings=tuple(dict.fromkeys(warnings)),
        )

    async def _mx(self, domain: str) -> list[str]:
        return [host for _, host in await self._resolver.mx(domain)]

    async def _asked(self, question: Awaitable[list[str]]) -> tuple[str, ...] | None:
        """None: nobody could tell, which is not the same as nothing."""
        try:
            async with asyncio.timeout(self._look_up_s):
                return tuple(await question)
        except (MailError, TimeoutError):
            return None

    async def _by_srv(self, domain: str, trouble: list[str]) -> Proposal | None:
        try:
            imap, smtp = await asyncio.gather(self._service(domain, _IMAP), self._service(domain, _SMTP))
        except MailError as error:
            trouble.append(_trouble(domain, domain, error))
            return None
        if imap is None or smtp is None:
            return None
        return Proposal(imap, smtp, f"{domain} publishes these servers in DNS (SRV).", True)

    async def _service(self, domain: str, services: tuple[tuple[str, Tls], ...]) -> Endpoint | None:
        for service, tls in services:
            found = await self._resolver.srv(f"{service}.{domain}")
            if found:
                return Endpoint(found[0][0], found[0][1], tls)
        return None

    async def _by_file(self, address: str, domain: str, trouble: list[str]) -> Proposal | None:
        """The two places of a domain's own autoconfig file, asked at once; the first place wins."""
        if self._autoconfig is None:
            return None
        hosts = {
            f"autoconfig.{domain}": f"https://autoconfig.{domain}/mail/config-v1.1.xml?emailaddress={quote(address)}",
            domain: f"https://{domain}/.well-known/autoconfig/mail/config-v1.1.xml",
        }
        answers = await asyncio.gather(*(self._file(self._autoconfig, url) for url in hosts.values()))
        for host, answer in zip(hosts, answers, strict=True):
            try:
                if isinstance(answer, MailError):
                    trouble.append(_trouble(host, domain, answer))
                elif answer is not None:
                    words = f"{host} publishes these servers for mail programs (autoconfig)."
                    return _proposal(read_autoconfig(answer, address), words)
            except AutoconfigError as error:
                trouble.append(f"What {host} publishes for mail programs cannot be used: {error}.")
        return None

    async def _file(self, source: AutoconfigSource, url: str) -> bytes | MailError | None:
        try:
            return await source.fetch(url)
        except MailError as error:
            return error

    async def _guessed(self, domain: str, trouble: list[str]) -> Proposal:
        imap_names, smtp_names = guesses(domain)
        imap, smtp = await asyncio.gather(self._first_there(imap_names), self._first_there(smtp_names))
        there = imap is not None and smtp is not None
        words = [
            *dict.fromkeys(trouble),
            "These servers are guessed by their usual names."
            if there or trouble
            else f"No mail servers of {domain} were found; these are only the usual names.",
            "Compare them with what your provider or mail administrator gives you.",
        ]
        return Proposal(
            Endpoint(imap or imap_names[0], 993, Tls.SSL),
            Endpoint(smtp or smtp_names[0], 465, Tls.SSL),
            " ".join(words),
            certain=False,
        )

    async def _first_there(self, names: Sequence[str]) -> str | None:
        answers = await asyncio.gather(*(self._asked(self._resolver.addresses(name)) for name in names))
        return next((name for name, found in zip(names, answers, strict=True) if found), None)


def _by_dns(address: str, domain: str, mx: tuple[str, ...] | None, txt: tuple[str, ...] | None) -> Found:
    by_mx = provider_of_mx(mx or ()) if not is_gateway(mx or ()) else None
    by_spf = provider_by_spf(View({Question(Kind.TXT, domain): txt}), domain)
    named = _named_by_spf(txt or ()) | ({by_spf} if by_spf else set())
    how, warnings = _about_mx(domain, mx, by_mx), _mx_warnings(domain, mx)
    if by_mx is None and by_spf is not None:
        how.append(f"SPF names {facts(by_spf).label}")
        if mx is not None and not is_gateway(mx):
            warnings.append(f"If your mailbox is not at {facts(by_spf).label}, use other servers.")
    elif by_mx is not None:
        told, warned = _about_spf(by_mx, named)
        how, warnings = how + told, warnings + warned
    return Found(address, by_mx or by_spf or "", how=tuple(how), warnings=tuple(warnings), mx_hosts=mx or ())


def _named_by_spf(txt: Sequence[str]) -> set[str]:
    records = spf_records(txt)
    includes = (host_name(term.value) for record in records for term in terms(record) if term.name == "include")
    return {found for name in includes if name and (found := provider_of_host(name))}


def _about_mx(domain: str, mx: tuple[str, ...] | None, provider: str | None) -> list[str]:
    hosts = [host for host in mx or () if host]
    if not hosts:
        return []
    if provider is not None:
        return [f"MX says {facts(provider).label}"]
    if is_gateway(hosts):
        return [f"A filter service ({hosts[0]}) takes the mail of {domain} first"]
    return [f"MX says {hosts[0]}"]


def _mx_warnings(domain: str, mx: tuple[str, ...] | None) -> list[str]:
    if mx is None:
        return [f"DNS gave no answer about {domain}, so its provider could not be looked up. Try again in a minute."]
    if not mx:
        return [f"DNS knows no mail server of {domain}. Look for a typing error in the address."]
    if not any(mx):
        return [f"{domain} says that it takes no mail at all (null MX). Look for a typing error in the address."]
    return []


def _about_spf(provider: str, named: set[str]) -> tuple[list[str], list[str]]:
    """Whether SPF agrees with MX (R56), and what to have mended where it does not (R57)."""
    label, others = facts(provider).label, sorted(facts(one).label for one in named - {provider})
    names = " and ".join(others)
    if provider in named:
        told = [f"SPF names {label} too"]
        rivals = [facts(one).label for one in sorted(named - {provider}) if facts(one).oauth]
        extra = [f"SPF names {' and '.join(rivals)} as well. {_MEND.format(label)}"] if rivals else []
        return told, extra
    if others:
        return [], [f"SPF names {names} although mail arrives at {label}. {_MEND.format(label)}"]
    return [], []


_MEND: Final = (
    "Sign-in may be led astray: if only {} is used, your IT or mail administrator has to correct the SPF record."
)


def _not_offered(label: str, provider: str, *, set_up: bool) -> str:
    if set_up:
        why = f"Signing in with {label} needs an https:// address to come back to: whoever runs Rethread sets "
        why += "RETHREAD_PUBLIC_URL."
    else:
        why = (
            f"Signing in with {label} is not set up here: whoever runs Rethread sets {provider.upper()}_CLIENT_ID and "
        )
        why += f"{provider.upper()}_CLIENT_SECRET."
    if facts(provider).passwords == "none":
        why += f" {label} takes no password for reading mail, so without it the mailbox cannot be connected."
    return why


def _known(found: Found, domain: str) -> Proposal | None:
    servers = known_servers(found.provider, domain, found.mx_hosts)
    return _proposal(servers, f"These are {facts(found.provider).label}’s usual servers.") if servers else None


def _proposal(servers: Servers, how: str) -> Proposal:
    return Proposal(_endpoint(servers.imap), _endpoint(servers.smtp), how, True, servers.username)


def _endpoint(server: Server) -> Endpoint:
    return Endpoint(server.host, server.port, Tls(server.tls))


def _trouble(host: str, domain: str, error: MailError) -> str:
    match error.layer:
        case "dns":
            return f"DNS gave no answer about the servers of {domain}."
        case "tls":
            return f"The certificate of {host} is not in order, so what it publishes was not read."
        case _:
            return f"What {host} publishes was not read ({error.raw[:120]})."
