"""Everything that can be known before a campaign starts, in one report (R5, R113, R118, R127, R216, X4, X5)."""

from __future__ import annotations

import asyncio
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Final

from core.domain.account import Mailbox, MailboxStatus
from core.domain.actor import Actor, require_recruiter
from core.domain.address import domain_of
from core.domain.address_verdict import DomainMail, Verdict, judge
from core.domain.campaign import Campaign
from core.domain.content_lint import Finding, Severity, lint, score, severity
from core.domain.dns_checks import Verdict as DnsVerdict
from core.domain.enrollment import Enrollment, ProspectStatus
from core.domain.forecast import Forecast, Group, Plan, forecast
from core.domain.people import Person
from core.domain.phone import e164
from core.domain.preflight import Refuse, check_sender
from core.domain.prospect_query import ProspectQuery
from core.domain.reasons import reason
from core.domain.schedule import Calendar, calendar_of
from core.domain.template import render
from core.domain.workspace_settings import WorkspaceSettings
from core.ports.storage import UnitOfWork
from core.services.address_checks import AddressChecks
from core.services.campaign_lookup import find_campaign
from core.services.deliverability import DeliverabilityService
from core.services.pacing import tempo_of
from core.services.text_gate import phone_country
from core.services.tools import Tools, settings_in

STOP: Final = "stop"
WARN: Final = "warn"
NOTE: Final = "note"

_PAGE: Final = 1_000
_LOOKED_UP: Final = 400
"""Domains asked of DNS while somebody waits for the report; the engine looks up the rest in its own time."""
_KNOWN_FOR: Final = timedelta(days=7)
_EXAMPLES: Final = 3


@dataclass(frozen=True, slots=True)
class Problem:
    """``severity``: stop (mails will fail), warn, or note. ``count`` people, mailboxes or places; ``examples`` name the
    first few."""

    code: str
    severity: str
    count: int
    text: str
    fix: str
    examples: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class LaunchReport:
    """``lint`` and its score stand beside the problems; ``forecast`` assumes that nobody answers."""

    campaign: Campaign
    people: int
    problems: tuple[Problem, ...]
    lint: tuple[Finding, ...]
    lint_score: float
    forecast: Forecast

    @property
    def ok(self) -> bool:
        """Nothing is known that will make mails fail."""
        return all(problem.severity != STOP for problem in self.problems)


@dataclass(slots=True)
class _Found:
    """What was found of the people: names by code, and how many of each kind there are for the forecast."""

    people: int = 0
    names: defaultdict[str, list[str]] = field(default_factory=lambda: defaultdict(list))
    counts: Counter[str] = field(default_factory=Counter)
    fields: Counter[str] = field(default_factory=Counter)
    groups: Counter[Group] = field(default_factory=Counter)
    zones: Counter[bool] = field(default_factory=Counter)

    def note(self, code: str, name: str) -> None:
        self.counts[code] += 1
        if len(self.names[code]) < _EXAMPLES:
            self.names[code].append(name)


@dataclass(frozen=True, slots=True)
class _Known:
    """What is known of one page of people: their domains, who is suppressed, and where else they are written to."""

    domains: Mapping[str, str]
    suppressed: Collection[str]
    elsewhere: Mapping[str, Sequence[str]]
    senders: Sequence[str]
    country: str | None
    judged: bool


class LaunchCheck:
    """Reads and asks DNS; changes nothing but what is kept of DNS answers."""

    def __init__(
        self,
        tools: Tools,
        domains: DeliverabilityService,
        checks: AddressChecks,
        *,
        unsubscribe_header: bool = True,
        texts: bool = True,
    ) -> None:
        """``texts``: an SMS account is set up."""
        self._tools = tools
        self._domains = domains
        self._checks = checks
        self._unsubscribe_header = unsubscribe_header
        self._texts = texts

    async def preflight(self, actor: Actor, name: str) -> LaunchReport:
        """Raises NotFoundError, NotAllowedError."""
        require_recruiter(actor)
        campaign, senders = await self._senders(actor, name)
        await self._look_up(actor, campaign)
        dns = await asyncio.gather(*(self._dns_of(mailbox) for mailbox in _one_a_domain(senders.values())))
        async with self._tools.store.read(actor.workspace) as uow:
            settings = await settings_in(uow)
            mailboxes = list({one.id: one for one in senders.values() if one is not None}.values())
            found = await self._people(uow, campaign, settings, [one.id for one in mailboxes])
            files = {file.name: file.size for file in await uow.campaign_files.many(campaign.id, _files_of(campaign))}
            pace = await tempo_of(uow, settings, mailboxes, self._tools.clock.now())
        now = self._tools.clock.now()
        plan = Plan(
            now=now,
            stages=campaign.stages,
            groups=tuple(replace(group, count=count) for group, count in found.groups.items()),
            paces=pace.mailboxes,
            daily=pace.daily,
            daily_left=pace.daily_left,
            zone=Calendar(pace.zone),
        )
        findings = lint(campaign, people=found.people, attachments=files, unsubscribe_header=self._unsubscribe_header)
        outlook = await asyncio.to_thread(forecast, plan)
        problems = [
            *_sender_problems(senders),
            *(problem for one in dns for problem in one),
            *_people_problems(found, outlook),
            *([] if self._texts else _text_problems(campaign)),
            *_file_problems(campaign, files),
            *_lint_problems(findings),
        ]
        return LaunchReport(
            campaign=campaign,
            people=found.people,
            problems=tuple(sorted(problems, key=lambda one: (STOP, WARN, NOTE).index(one.severity))),
            lint=tuple(findings),
            lint_score=score(findings),
            forecast=outlook,
        )

    async def _senders(self, actor: Actor, name: str) -> tuple[Campaign, dict[str, Mailbox | None]]:
        async with self._tools.store.read(actor.workspace) as uow:
            campaign = await find_campaign(uow, name)
            wanted = dict.fromkeys(
                (*campaign.senders, *(stage.sender for stage in campaign.live_stages if stage.sender))
            )
            return campaign, {address: await uow.mailboxes.by_sender(address) for address in wanted}

    async def _look_up(self, actor: Actor, campaign: Campaign) -> None:
        """Domains that nobody has asked of yet, so that the report can judge their addresses."""
        now = self._tools.clock.now()
        async with self._tools.store.read(actor.workspace) as uow:
            if (await settings_in(uow))["validation"] == "off":
                return
            wanted: set[str] = set()
            for ids in await _pages(uow, campaign):
                _, people = await _persons(uow, ids)
                wanted |= {domain_of(address) for address in _addresses(people.values(), campaign)}
            known = await uow.domain_checks.known(wanted, now - _KNOWN_FOR)
        found = await self._checks.domains_mail(sorted(wanted - set(known))[:_LOOKED_UP])
        sure = {domain: mail.value for domain, mail in found.items() if mail is not DomainMail.UNKNOWN}
        if sure:
            async with self._tools.store.write(actor.workspace) as uow:
                await uow.domain_checks.put_many(sure, now)

    async def _dns_of(self, mailbox: Mailbox) -> list[Problem]:
        report = await self._domains.check_domain(domain_of(mailbox.address), connected=mailbox.provider)
        return [
            Problem(
                f"dns_{finding.name}",
                WARN,
                1,
                f"{report.domain}: {finding.name.upper()} is {finding.verdict.words}. {finding.detail}",
                finding.fix,
                (report.domain,),
            )
            for finding in report.findings
            if finding.verdict in (DnsVerdict.FAIL, DnsVerdict.WARN) and finding.fix
        ]

    async def _people(
        self, uow: UnitOfWork, campaign: Campaign, settings: WorkspaceSettings, senders: Sequence[str]
    ) -> _Found:
        found, now = _Found(), self._tools.clock.now()
        for ids in await _pages(uow, campaign):
            enrollments, people = await _persons(uow, ids)
            keys = {address.key for person in people.values() for address in person.addresses}
            known = _Known(
                domains=await uow.domain_checks.known({domain_of(key) for key in keys}, now - _KNOWN_FOR),
                suppressed=set(await uow.suppressions.among(keys)),
                elsewhere=await uow.lists.running_elsewhere(list(people), but=campaign.id),
                senders=senders,
                country=phone_country(settings),
                judged=settings["validation"] != "off",
            )
            for enrollment in enrollments:
                person = people.get(enrollment.person_id)
                if person is not None:
                    _look_at(found, campaign, enrollment, person, known, now)
            await asyncio.sleep(0)  # others are served between two pages
        return found


def _look_at(
    found: _Found,
    campaign: Campaign,
    enrollment: Enrollment,
    person: Person,
    known: _Known,
    now: datetime,
) -> None:
    """One prospect: what will happen to the next stage, and whom to name."""
    found.people += 1
    found.zones[bool(person.timezone)] += 1
    if elsewhere := known.elsewhere.get(person.id):
        found.note("also_running", f"{person.name} (“{elsewhere[0]}”)")
    fails, waits = _outlook(found, campaign, enrollment, person, known)
    group = Group(
        count=0,
        stage=enrollment.stage,
        # Half hours are near enough, and keep the kinds few.
        due=_half_hour(max(enrollment.next_at or now, now)),
        # Who was enrolled before a sender was connected gets one of them when the first mail is due.
        mailbox=enrollment.mailbox_id or (known.senders[found.people % len(known.senders)] if known.senders else ""),
        calendar=calendar_of(campaign.definition, prospect_zone=person.timezone, campaign_zone=campaign.timezone),
        waits=waits,
        fails=fails,
    )
    found.groups[group] += 1


def _outlook(
    found: _Found, campaign: Campaign, enrollment: Enrollment, person: Person, known: _Known
) -> tuple[bool, bool]:
    """Whether the next stage will fail, and whether it will wait for somebody."""
    stage = campaign.stage_at(enrollment.stage)
    if stage is None or stage.kind in ("call", "task"):
        return False, False
    if stage.kind == "sms":
        number = e164(person.phone, known.country)
        if number is None:
            found.note("no_phone", f"{person.name} ({person.phone or 'none'})")
        return number is None, False
    address = person.address_for(campaign.email_priority)
    if address is None:
        found.note("null_email", person.name)
        return True, False
    if address.key in known.suppressed:
        found.note("suppressed", f"{person.name} <{address.address}>")
        return True, False
    missing = _missing(campaign, stage.position, person, address.address)
    if missing:
        found.fields.update(missing)
        found.note("missing_variable", f"{person.name} ({', '.join(missing)})")
        return False, True
    return _by_verdict(found, person, address.address, known) if known.judged else (False, False)


def _by_verdict(found: _Found, person: Person, address: str, known: _Known) -> tuple[bool, bool]:
    verdict = judge(address, DomainMail(known.domains.get(domain_of(address), DomainMail.UNKNOWN.value)))
    named = f"{person.name} <{address}>: {verdict.text}"
    if verdict.verdict is Verdict.INVALID:
        found.note("invalid_recipient", named)
        return True, False
    if verdict.verdict is Verdict.RISKY:
        found.note("risky_address", named)
        return False, True
    return False, False


def _missing(campaign: Campaign, position: int, person: Person, recipient: str) -> list[str]:
    """Merge fields without value and fallback, in the next mail."""
    stage = campaign.stages[position - 1]
    of_sender = dict.fromkeys(("sender_name", "sender_email", "unsubscribe_link"), "x")
    values = {**person.merge_fields, **of_sender, "email": recipient}
    texts = (stage.subject, stage.body, stage.html)
    return sorted({name for text in texts if "{{" in text for name in render(text, values).missing})


def _half_hour(moment: datetime) -> datetime:
    return moment.replace(minute=moment.minute // 30 * 30, second=0, microsecond=0)


async def _pages(uow: UnitOfWork, campaign: Campaign) -> list[list[str]]:
    running = ProspectQuery(statuses=(ProspectStatus.ACTIVE, ProspectStatus.PENDING))
    ids = await uow.lists.prospect_ids(campaign.id, running)
    return [ids[start : start + _PAGE] for start in range(0, len(ids), _PAGE)]


async def _persons(uow: UnitOfWork, ids: Sequence[str]) -> tuple[list[Enrollment], dict[str, Person]]:
    enrollments = list((await uow.enrollments.get_many(ids)).values())
    return enrollments, await uow.people.get_many({one.person_id for one in enrollments})


def _addresses(people: Iterable[Person], campaign: Campaign) -> list[str]:
    chosen = (person.address_for(campaign.email_priority) for person in people)
    return [address.key for address in chosen if address is not None]


def _one_a_domain(senders: Iterable[Mailbox | None]) -> list[Mailbox]:
    return list({domain_of(one.address): one for one in senders if one is not None}.values())


def _files_of(campaign: Campaign) -> list[str]:
    return sorted({name for stage in campaign.live_stages for name in stage.attachments})


def _sender_problems(senders: Mapping[str, Mailbox | None]) -> Iterable[Problem]:
    if not senders:
        return
    for address, mailbox in senders.items():
        if mailbox is None or mailbox.status is MailboxStatus.DISCONNECTED:
            why = reason("no_account_selected")
            yield Problem(why.code, STOP, 1, f"{address} is not a connected mailbox.", why.fix, (address,))
            continue
        closed = check_sender(mailbox, opens_thread=False)
        if closed is not None:
            why, how = closed.reason, STOP if isinstance(closed, Refuse) else WARN
            yield Problem(why.code, how, 1, f"{address}: {why.text}", why.fix, (address,))


_PEOPLE: Final = {
    "null_email": (STOP, "have no address of a type that this campaign may use"),
    "invalid_recipient": (STOP, "have an address that cannot take mail"),
    "suppressed": (STOP, "are on the do-not-contact list"),
    "no_phone": (STOP, "have no telephone number that a text can go to"),
    "risky_address": (WARN, "have a risky address; their mail will wait"),
    "missing_variable": (WARN, "lack a merge field that has no fallback; their mail will wait"),
    "also_running": (WARN, "get mail from another running campaign too"),
}


def _people_problems(found: _Found, outlook: Forecast) -> Iterable[Problem]:
    if not found.people:
        yield Problem("nobody", STOP, 0, "Nobody is in this campaign.", "Add people: /outreach add.")
    for code, (how, words) in _PEOPLE.items():
        count = found.counts[code]
        if count:
            text = f"{count} of {found.people} people {words}."
            if code == "missing_variable":
                text += f" Fields: {', '.join(name for name, _ in found.fields.most_common(5))}."
            fix = _FIXES.get(code) or reason(code).fix
            yield Problem(code, how, count, text, fix, tuple(found.names[code]))
    if found.zones[False]:
        yield Problem(
            "no_zone",
            NOTE,
            found.zones[False],
            f"{found.zones[False]} of {found.people} people have no time zone of their own: "
            "the campaign's hours are used for them.",
            "Import their time zone (column timezone) if they live elsewhere.",
        )
    over = outlook.failing - sum(found.counts[code] for code, (how, _) in _PEOPLE.items() if how == STOP)
    if over > 0:
        yield Problem(
            "email_limit",
            STOP,
            over,
            f"{over} mails will be over the workspace's limit of mails a day, and fail.",
            "Start with fewer people, or lower the mailboxes' pace so that they spread over more days.",
        )


_FIXES: Final = {
    "also_running": "Take them out of one of the two, or go on if that is meant.",
    "null_email": "Add an address to their profiles, or allow its type in the campaign (email_priority).",
    "invalid_recipient": "Correct the addresses on their profiles before you start.",
    "suppressed": "Leave them out: they asked not to be written to, or their address does not exist.",
    "missing_variable": "Fill the field on their profiles, or write {{field|fallback}} in the template.",
}


def _text_problems(campaign: Campaign) -> Iterable[Problem]:
    stages = [str(stage.position) for stage in campaign.live_stages if stage.kind == "sms"]
    if stages:
        why = reason("sms_off")
        yield Problem(why.code, STOP, len(stages), f"{why.text} Stage {', '.join(stages)} sends a text.", why.fix)


def _file_problems(campaign: Campaign, files: Mapping[str, int]) -> Iterable[Problem]:
    missing = [name for name in _files_of(campaign) if name not in files]
    if missing:
        why = reason("attachment_missing")
        text = f"Attachments that are not there: {', '.join(missing[:5])}."
        yield Problem(why.code, STOP, len(missing), text, why.fix, tuple(missing[:_EXAMPLES]))


def _lint_problems(findings: Sequence[Finding]) -> Iterable[Problem]:
    """One line for the worst; the findings themselves stand in the report."""
    how = severity(findings)
    if how is Severity.OK:
        return
    worst = max(findings, key=lambda finding: finding.weight)
    text = f"The text may be taken for spam: {score(findings):g} points, and filters often begin at 5."
    stage = f"Stage {worst.stage}: " if worst.stage else ""
    yield Problem("content", WARN, len(findings), text, f"{stage}{worst.text} {worst.fix}".strip(), (worst.evidence,))
