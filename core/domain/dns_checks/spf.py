"""SPF: which servers may send for the domain (RFC 7208; R56, R57, R63, R191). Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

from core.domain.dns_checks.findings import Finding, Notes, Verdict
from core.domain.dns_checks.names import host_name
from core.domain.dns_checks.spf_record import Term, looks_like_spf, spf_records, terms
from core.domain.dns_checks.spf_walk import SpfWalk
from core.domain.dns_checks.view import Kind, View
from core.domain.providers import facts, provider_of_host

_LONG: Final = 450
"""Octets: with the rest of the answer, more may not fit 512 (RFC 7208 3.4)."""

_INCLUDE: Final = {
    "google": "_spf.google.com",
    "microsoft": "spf.protection.outlook.com",
    "zoho": "zohomail.com",
    "fastmail": "spf.messagingengine.com",
    "icloud": "icloud.com",
    "godaddy": "secureserver.net",
    "rackspace": "emailsrvr.com",
    "ovh": "mx.ovh.com",
    "yandex": "_spf.yandex.net",
}
"""What each provider's set-up guide has its customers include."""

_BY_INCLUDE: Final = {name: provider for provider, name in _INCLUDE.items()}


def provider_by_spf(view: View, domain: str) -> str | None:
    """The one mail provider that the domain's SPF record includes, which tells it behind a gateway (R56)."""
    records = spf_records(view.ask(Kind.TXT, domain) or ())
    if len(records) != 1:
        return None
    names = (term.value for term in terms(records[0]) if term.name == "include")
    found = _providers(filter(None, map(host_name, names)))
    return found.pop() if len(found) == 1 else None


def _providers(names: Iterable[str]) -> set[str]:
    return {found for name in names if (found := _BY_INCLUDE.get(name) or provider_of_host(name)) is not None}


def check_spf(view: View, domain: str, provider: str | None) -> Finding:
    """``provider`` is who takes the domain's mail and so, by rule, sends it too."""
    notes = Notes()
    answer = view.ask(Kind.TXT, domain)
    if answer is None:
        notes.add(Verdict.UNKNOWN, f"DNS did not answer for the SPF record of {domain}.", "Ask again in some minutes.")
        return notes.finding("spf", None)
    records = spf_records(answer)
    if not records:
        _missing(notes, domain, provider, answer)
    elif len(records) > 1:
        notes.add(
            Verdict.FAIL,
            f"There are {len(records)} SPF records; receivers then use none of them.",
            _publish(domain, _repaired(records, provider, swapped=set())),
        )
    else:
        _judge(notes, view, domain, records[0], provider)
    return notes.finding("spf", "; ".join(records) or None)


def _missing(notes: Notes, domain: str, provider: str | None, answer: Sequence[str]) -> None:
    fix = _publish(domain, _repaired((), provider, swapped=set()))
    if any(map(looks_like_spf, answer)):
        notes.add(
            Verdict.FAIL,
            "A record looks like SPF but does not begin with exactly “v=spf1 ”, so it does not count.",
            fix,
        )
    else:
        notes.add(Verdict.FAIL, "There is no SPF record, so receivers cannot tell your mail from a forgery.", fix)


def _judge(notes: Notes, view: View, domain: str, record: str, provider: str | None) -> None:
    walk = SpfWalk(view, notes, domain, record)
    found = [term for term in terms(record) if not term.broken]
    swapped = _judge_provider(notes, walk, found, provider)
    _judge_end(notes, found)
    if any(term.name == "ptr" for term in found):
        notes.add(Verdict.WARN, "“ptr” is slow and must not be used any more (RFC 7208 5.5).")
    if len(record.encode("utf-8", "replace")) > _LONG:
        notes.add(Verdict.WARN, f"The record is longer than {_LONG} characters; some receivers get only a part of it.")
    if notes.verdict is Verdict.OK:
        notes.add(Verdict.OK, f"SPF is right ({walk.lookups} of 10 look-ups).")
    better = _repaired([record], provider if swapped is not None else None, swapped=swapped or set())
    if notes.verdict is not Verdict.OK and better.split() != record.split():
        notes.add(Verdict.OK, "", _publish(domain, better))


def _judge_provider(notes: Notes, walk: SpfWalk, found: Sequence[Term], provider: str | None) -> set[str] | None:
    """Does the record let the provider send that takes the mail? None where it does; else the providers that stand
    there in its place."""
    if not any((term.name != "all" and not term.modifier) or term.name == "redirect" for term in found):
        notes.add(Verdict.FAIL, "The SPF record lets nobody send for the domain.")
        return set()
    if provider is None or provider not in _INCLUDE:
        return None
    label = facts(provider).label
    others = _providers(walk.named) - {provider}
    names = " and ".join(sorted(facts(one).label for one in others))
    if provider in _providers(walk.included):
        if others:
            notes.add(
                Verdict.WARN,
                f"Mail is taken by {label}, and SPF lets {names} send as well.",
                f"If nobody sends through {names} any more, take its include out.",
            )
        return None
    if others:
        notes.add(Verdict.FAIL, f"Mail is taken by {label}, but SPF names {names} in its place.")
    else:
        notes.add(Verdict.WARN, f"Mail is taken by {label}, but SPF does not name it.")
    return others


def _judge_end(notes: Notes, found: Sequence[Term]) -> None:
    names = [term.name for term in found]
    if "all" not in names:
        if "redirect" not in names:
            notes.add(Verdict.WARN, "The record has no “all” at its end, so it says nothing of other servers.")
        return
    at = names.index("all")
    if found[at].qualifier == "+":
        notes.add(Verdict.FAIL, "“+all” lets the whole world send in the domain's name; spam filters punish it.")
    elif found[at].qualifier == "?":
        notes.add(Verdict.WARN, "“?all” says nothing of other servers.")
    if any(not term.modifier for term in found[at + 1 :]):
        notes.add(Verdict.WARN, "What stands behind “all” is never looked at.")


def _repaired(records: Iterable[str], provider: str | None, *, swapped: set[str]) -> str:
    """One record of the given ones' terms that ends in ~all or -all and lets the provider send. ``swapped`` are
    providers whose includes go."""
    found = [term for record in records for term in terms(record) if not term.broken]
    ends = [term for term in found if term.name == "all"]
    kept = dict.fromkeys(term.text for term in found if term.name not in ("all", "ptr") and not _is_of(term, swapped))
    wanted = f"include:{_INCLUDE[provider]}" if provider in _INCLUDE else "" if kept else "mx"
    words = dict.fromkeys(word for word in (wanted, *kept) if word)
    # Several records may disagree: the gentler end loses no mail. One that let nobody send knew nothing of its senders.
    strict = {term.qualifier for term in ends} == {"-"} and len(found) > len(ends)
    redirected = not ends and any(term.name == "redirect" for term in found)
    end = [] if redirected else ["-all" if strict else "~all"]
    return " ".join(["v=spf1", *words, *end])


def _is_of(term: Term, providers: set[str]) -> bool:
    name = host_name(term.value) if term.name == "include" else None
    return name is not None and bool(_providers([name]) & providers)


def _publish(domain: str, record: str) -> str:
    return f"Publish this as the only SPF record (TXT) at {domain}: {record}"
