"""MX: who takes the domain's mail (RFC 5321 5.1, RFC 7505; R54, R55). Pure."""

from __future__ import annotations

from typing import Final

from core.domain.dns_checks.findings import Finding, Notes, Verdict
from core.domain.dns_checks.names import host_name
from core.domain.dns_checks.view import Kind, View
from core.domain.providers import facts, is_gateway, provider_of_mx

_HOSTS_ASKED: Final = 5


def mx_hosts(view: View, domain: str) -> tuple[str, ...] | None:
    """The hosts by preference; an empty name is the null MX; None where DNS gave no answer."""
    records = view.ask(Kind.MX, domain)
    return None if records is None else tuple(record.partition(" ")[2].strip()[:253] for record in records)


def check_mx(view: View, domain: str, provider: str | None, connected: str | None) -> Finding:
    """``connected`` is the provider that a mailbox of this domain is connected at, where one is."""
    notes = Notes()
    hosts = mx_hosts(view, domain)
    if hosts is None:
        notes.add(Verdict.UNKNOWN, f"DNS did not say who takes the mail of {domain}.", _LATER)
    elif not hosts:
        _without_mx(notes, view, domain)
    elif not any(hosts):
        notes.add(
            Verdict.FAIL, "The domain says that it takes no mail at all (null MX), so no reply arrives.", _PUBLISH
        )
    else:
        _judge_hosts(notes, view, hosts)
        _judge_provider(notes, hosts, provider, connected)
    return notes.finding("mx", None if not hosts else ", ".join(view.ask(Kind.MX, domain) or ()))


_LATER: Final = "Ask again in some minutes; if it stays so, the domain's name servers are in trouble."
_PUBLISH: Final = "Publish the MX records that your mail provider lists in its set-up guide."


def _without_mx(notes: Notes, view: View, domain: str) -> None:
    addresses = view.ask(Kind.ADDRESS, domain)
    if addresses is None:
        notes.add(Verdict.UNKNOWN, "There is no MX record, and DNS did not tell the domain's own address.", _LATER)
    elif addresses:
        notes.add(
            Verdict.WARN,
            "There is no MX record: mail goes to the host of the domain itself, if that takes any.",
            _PUBLISH,
        )
    else:
        notes.add(Verdict.FAIL, "There is no MX record, so replies and bounces cannot arrive.", _PUBLISH)


def _judge_hosts(notes: Notes, view: View, hosts: tuple[str, ...]) -> None:
    """Every host must be a name with an address (RFC 5321 5.1; RFC 2181 10.3)."""
    asked = hosts[:_HOSTS_ASKED]
    answers = {host: _addresses(view, host) for host in asked if host}
    dead = [host for host, found in answers.items() if found == ()]
    if dead and len(dead) == len(answers):
        notes.add(Verdict.FAIL, f"No mail server of the domain has an address: {', '.join(dead)}.", _PUBLISH)
    elif dead:
        notes.add(Verdict.WARN, f"These mail servers have no address: {', '.join(dead)}.", _PUBLISH)
    if answers and all(found is None for found in answers.values()):
        notes.add(Verdict.UNKNOWN, "DNS did not tell the addresses of the mail servers.", _LATER)
    if "" in asked:
        notes.add(Verdict.WARN, "A null MX stands beside others; it must be alone (RFC 7505 3).", _PUBLISH)


def _addresses(view: View, host: str) -> tuple[str, ...] | None:
    """An IP address in place of a name counts as none: other servers refuse to go there."""
    name = host_name(host)
    return () if name is None or name.replace(".", "").isdigit() else view.ask(Kind.ADDRESS, name)


def _judge_provider(notes: Notes, hosts: tuple[str, ...], provider: str | None, connected: str | None) -> None:
    known = facts(provider)
    if is_gateway(hosts):
        behind = f"; behind it is {known.label}, by SPF" if provider else ""
        notes.add(Verdict.OK, f"A filter service takes the mail first{behind}.")
    elif provider_of_mx(hosts):
        notes.add(Verdict.OK, f"Mail is taken by {known.label}.")
    else:
        notes.add(Verdict.OK, f"Mail is taken by {hosts[0]}, a provider that Rethread does not know by name.")
    if known.warning:
        notes.add(Verdict.WARN, known.warning)
    if provider and connected and connected != provider and facts(connected) is not facts(None):
        notes.add(
            Verdict.WARN,
            f"The mailbox is connected at {facts(connected).label}, but the domain's mail is taken by {known.label}.",
            f"If logging in fails, connect it again with the servers of {known.label}.",
        )
