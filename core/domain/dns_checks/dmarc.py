"""DMARC: what receivers do with mail that fails (RFC 9989; RFC 7489 before it; R63, R191). Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from core.domain.dns_checks.findings import Finding, Notes, Verdict
from core.domain.dns_checks.names import host_name, is_same_or_under
from core.domain.dns_checks.spf_record import is_spf
from core.domain.dns_checks.view import Kind, View, tags

_POLICIES: Final = ("none", "quarantine", "reject")
_VERSION: Final = re.compile(r"v[ \t]*=[ \t]*DMARC1[ \t]*(?:;|$)")
_OBSOLETE: Final = ("pct", "rf", "ri")
_MOST_LABELS: Final = 8
_MOST_REPORT_DOMAINS: Final = 5
_MEANING: Final = {
    "none": "mail that fails is only counted (p=none)",
    "quarantine": "mail that fails goes to spam (p=quarantine)",
    "reject": "mail that fails is refused (p=reject)",
}


@dataclass(frozen=True, slots=True)
class _Found:
    """A policy record and the name whose it is; ``doubled`` lists names with several, which count as none."""

    record: str | None = None
    owner: str = ""
    doubled: tuple[str, ...] = ()
    unanswered: str | None = None


def check_dmarc(view: View, domain: str) -> Finding:
    """The record at _dmarc, else the one found by walking up the tree (RFC 9989 4.10)."""
    notes, found = Notes(), _find(view, domain)
    for name in found.doubled:
        notes.add(
            Verdict.FAIL if found.record is None else Verdict.WARN,
            f"_dmarc.{name} has several DMARC records; receivers then use none of them.",
            f"Leave one DMARC record at _dmarc.{name}.",
        )
    if found.record is not None:
        _judge(notes, view, domain, found.record, found.owner)
    elif found.unanswered is not None:
        notes.add(Verdict.UNKNOWN, f"DNS did not answer for _dmarc.{found.unanswered}.", "Ask again in some minutes.")
    elif not found.doubled:
        _nothing(notes, view, domain)
    return notes.finding("dmarc", found.record)


def is_dmarc(record: str) -> bool:
    """The version must come first, written exactly so (RFC 9989 4.7)."""
    return _VERSION.match(record) is not None


def _walk(domain: str) -> list[str]:
    """The domain and the names above it, the first eight at most: long names are cut to seven labels (4.10)."""
    labels = domain.split(".")
    above = labels[1:] if len(labels) <= _MOST_LABELS else labels[-(_MOST_LABELS - 1) :]
    return [domain, *(".".join(above[at:]) for at in range(len(above)))]


def _find(view: View, domain: str) -> _Found:
    """The author domain's own record wins; else the topmost on the way up, as that is the organisation's, unless a
    psd tag says where the organisation ends."""
    highest, owner, doubled = None, "", list[str]()
    for name in _walk(domain):
        answer = view.ask(Kind.TXT, f"_dmarc.{name}")
        if answer is None:
            return _Found(highest, owner, tuple(doubled), name)
        records = [record for record in answer if is_dmarc(record)]
        if len(records) > 1:
            doubled.append(name)
        if len(records) != 1:
            continue
        boundary = tags(records[0]).get("psd", "u").lower()
        if not (boundary == "y" and highest is not None):
            highest, owner = records[0], name
        if name == domain or boundary in ("y", "n"):
            break
    return _Found(highest, owner, tuple(doubled))


def _nothing(notes: Notes, view: View, domain: str) -> None:
    fix = f"Publish this TXT record at _dmarc.{domain}: {_suggested(domain)}"
    there = view.ask(Kind.TXT, f"_dmarc.{domain}") or ()
    if any(is_spf(record) for record in there):
        notes.add(Verdict.FAIL, f"An SPF record stands at _dmarc.{domain}, where the DMARC record belongs.", fix)
    elif any("dmarc" in record[:40].lower() for record in there):
        notes.add(
            Verdict.FAIL, f"The record at _dmarc.{domain} does not begin with v=DMARC1, so it has no effect.", fix
        )
    elif any(is_dmarc(record) for record in view.ask(Kind.TXT, domain) or ()):
        notes.add(Verdict.FAIL, f"The DMARC record stands at {domain} itself, where it has no effect.", fix)
    else:
        notes.add(Verdict.FAIL, "There is no DMARC record; Google, Yahoo and Microsoft want one.", fix)


def _suggested(domain: str) -> str:
    return f"v=DMARC1; p=none; rua=mailto:dmarc@{domain}"


def _judge(notes: Notes, view: View, domain: str, record: str, owner: str) -> None:
    found = tags(record)
    policy = _policy(notes, found, owner, inherited=owner != domain)
    source = "" if owner == domain else f" The record is that of {owner}."
    notes.add(Verdict.OK, f"DMARC is published: {_MEANING[policy]}.{source}")
    for name in ("sp", "np"):
        if name in found and found[name].lower() not in _POLICIES:
            notes.add(
                Verdict.WARN, f"{name}= is none of none, quarantine, reject.", f"Correct {name}= at _dmarc.{owner}."
            )
    _judge_obsolete(notes, found, owner)
    _judge_reports(notes, view, found, owner)


def _policy(notes: Notes, found: dict[str, str], owner: str, *, inherited: bool) -> str:
    """The policy for the domain; one that cannot be read counts as none (RFC 9989 4.7)."""
    policy = found.get("p", "").lower()
    if policy not in _POLICIES:
        said = "has no policy (p=)" if not policy else "has a policy (p=) that is none of none, quarantine, reject"
        notes.add(Verdict.WARN, f"The record {said}, so it counts as p=none at most.", f"Set p=none at _dmarc.{owner}.")
        policy = "none"
    if inherited:
        stated = found.get("sp", policy).lower()
        policy = stated if stated in _POLICIES else policy
    return policy


def _judge_obsolete(notes: Notes, found: dict[str, str], owner: str) -> None:
    if found.get("pct", "100") != "100":
        notes.add(
            Verdict.WARN,
            "pct= is obsolete (RFC 9989): receivers may apply the policy to all mail.",
            f"Take pct= out of _dmarc.{owner}.",
        )
    elif any(name in found for name in _OBSOLETE):
        notes.add(Verdict.OK, "pct=, rf= and ri= are obsolete (RFC 9989) and do no harm.")


def _judge_reports(notes: Notes, view: View, found: dict[str, str], owner: str) -> None:
    """Reports to another domain need that domain's consent (RFC 9990 4)."""
    places = [place.strip() for place in found.get("rua", "").split(",") if place.strip()]
    if not places:
        notes.add(
            Verdict.WARN,
            "Nobody receives reports (rua=), so nobody sees who sends in the domain's name.",
            f"Add rua=mailto:dmarc@{owner} to _dmarc.{owner}.",
        )
    for place in places[:_MOST_REPORT_DOMAINS]:
        target = _report_domain(place)
        if target is None:
            notes.add(
                Verdict.WARN, "rua= names something that is not mailto:ADDRESS.", f"Correct rua= at _dmarc.{owner}."
            )
        elif not (is_same_or_under(target, owner) or is_same_or_under(owner, target)):
            _judge_consent(notes, view, target, owner)


def _report_domain(place: str) -> str | None:
    scheme, _, address = place[:400].partition(":")
    local, at, domain = address.partition("!")[0].rpartition("@")
    return host_name(domain) if scheme.lower() == "mailto" and local and at else None


def _judge_consent(notes: Notes, view: View, target: str, owner: str) -> None:
    where = host_name(f"{owner}._report._dmarc.{target}")
    answer = view.ask(Kind.TXT, where) if where else ()
    if answer is not None and not any(is_dmarc(record) for record in answer):
        notes.add(
            Verdict.WARN,
            f"Reports go to {target}, which does not accept them for {owner}.",
            f"Have {target} publish this TXT record at {owner}._report._dmarc.{target}: v=DMARC1",
        )
