"""What receivers have to look up for an SPF record, counted all the way down (RFC 7208 4.6.4, 5.2, 6.1). Pure."""

from __future__ import annotations

from typing import Final

from core.domain.dns_checks.findings import Notes, Verdict
from core.domain.dns_checks.names import host_name
from core.domain.dns_checks.spf_record import LOOKUP_MECHANISMS, Term, spf_records, terms
from core.domain.dns_checks.view import Kind, View

MAX_LOOKUPS: Final = 10
MAX_VOID: Final = 2
_MAX_MX: Final = 10
_WALKED: Final = 40
"""Lookups after which counting ends: far above what is allowed, far below what a trap could cost."""


class SpfWalk:
    """Follows one domain's record. ``lookups`` and ``void`` count over everything, ``parts`` by the record's own
    terms; ``named`` are the domains that the record itself includes, ``included`` those on every level."""

    def __init__(self, view: View, notes: Notes, domain: str, record: str) -> None:
        self._view, self._notes, self._domain = view, notes, domain
        self.lookups = self.void = 0
        self.parts: dict[str, int] = {}
        self.named: set[str] = set()
        self.included: set[str] = set()
        self._follow_record(domain, record, (domain,))
        self._judge_counts()

    def _follow_record(self, owner: str, record: str, path: tuple[str, ...]) -> None:
        found = terms(record)
        ends = any(term.name == "all" and not term.broken for term in found)
        for term in found:
            before = self.lookups
            if term.broken:
                self._broken(term, owner)
            elif term.modifier:
                if term.name == "redirect" and not ends:
                    self._follow(term, path)
            elif term.name in LOOKUP_MECHANISMS:
                self._look_up(term, owner, path)
            elif term.name == "all":
                self._judge_all(term, owner, path)
                break
            if len(path) == 1 and self.lookups > before:
                self.parts[term.text] = self.lookups - before

    def _broken(self, term: Term, owner: str) -> None:
        self._notes.add(
            Verdict.FAIL,
            f"The SPF record of {owner} holds “{term.text[:60]}”, which no receiver understands; that breaks it.",
            f"Take “{term.text[:60]}” out of the SPF record of {owner}.",
        )

    def _judge_all(self, term: Term, owner: str, path: tuple[str, ...]) -> None:
        if term.qualifier == "+" and len(path) > 1:
            self._notes.add(
                Verdict.FAIL,
                f"The included record of {owner} lets the whole world send (+all).",
                f"Take the include of {path[1]} out.",
            )

    def _look_up(self, term: Term, owner: str, path: tuple[str, ...]) -> None:
        if self.lookups >= _WALKED:
            return
        if term.name == "include":
            self._follow(term, path)
            return
        self.lookups += 1
        name = host_name(term.value or owner)
        if name is None or term.name == "ptr":
            return  # macros depend on the single mail; ptr on the sender's address
        kind = Kind.MX if term.name == "mx" else Kind.ADDRESS
        answer = self._view.ask(kind, name)
        if answer is None:
            self._notes.add(
                Verdict.UNKNOWN, f"DNS did not answer for “{term.text[:60]}”.", "Ask again in some minutes."
            )
        elif not answer:
            self.void += 1
        elif kind is Kind.MX and len(answer) > _MAX_MX:
            self._notes.add(
                Verdict.FAIL, f"“{term.text[:60]}” stands for more than {_MAX_MX} mail servers.", "Name fewer."
            )

    def _follow(self, term: Term, path: tuple[str, ...]) -> None:
        if self.lookups >= _WALKED:
            return
        self.lookups += 1
        target = host_name(term.value)
        if target is None:
            if "%" not in term.value:
                self._broken(term, path[-1])
            return
        self.included.add(target)
        if len(path) == 1:
            self.named.add(target)
        if target in path:
            self._notes.add(
                Verdict.FAIL, f"The SPF record runs in a circle at {target}.", f"Take “{term.text[:60]}” out."
            )
            return
        self._follow_answer(term, target, path)

    def _follow_answer(self, term: Term, target: str, path: tuple[str, ...]) -> None:
        answer = self._view.ask(Kind.TXT, target)
        if answer is None:
            self._notes.add(
                Verdict.UNKNOWN, f"DNS did not answer for the SPF record of {target}.", "Ask again in some minutes."
            )
            return
        records = spf_records(answer)
        if len(records) == 1:
            self._follow_record(target, records[0], (*path, target))
            return
        what = "several SPF records" if records else "no SPF record"
        self._notes.add(
            Verdict.FAIL,
            f"“{term.text[:60]}” leads to {target}, which has {what}; that breaks it.",
            f"Correct or take out “{term.text[:60]}” in the SPF record of {path[-1]}.",
        )

    def _judge_counts(self) -> None:
        if self.lookups > MAX_LOOKUPS:
            most = f"at least {self.lookups}" if self.lookups >= _WALKED else str(self.lookups)
            counted = ", ".join(f"{text[:60]} {count}" for text, count in list(self.parts.items())[:20])
            self._notes.add(
                Verdict.FAIL,
                f"The SPF record needs {most} look-ups, and receivers stop at {MAX_LOOKUPS}: {counted}.",
                "Take out services that no longer send for you, or name their networks (ip4:) in place of include:.",
            )
        if self.void > MAX_VOID:
            self._notes.add(
                Verdict.FAIL,
                f"{self.void} look-ups of the SPF record lead nowhere, and receivers stop after {MAX_VOID}.",
                "Take the names that do not exist any more out of the SPF record.",
            )
