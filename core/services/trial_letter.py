"""*Send test*: a stage with sample entries, from the system address, to whoever looks at it (R170..R173).

The text only: no signature, no thread, no tracking, no way to unsubscribe, no files. It belongs to no prospect, so no
figure, limit or status hears of it (R225).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from core.domain.actor import Actor, require_recruiter
from core.domain.address import domain_of, is_valid
from core.domain.campaign import Campaign, Stage
from core.domain.compose import Letter, compose
from core.domain.template import fields_in, html_from_text, render
from core.errors import InputError, MailError, NotFoundError, OutcomeUnknownError, RefusedError
from core.ports.mail import Credentials, Endpoint, MailTransport
from core.services.campaign_lookup import find_campaign
from core.services.diagnose import diagnose_error
from core.services.tools import Tools

SAMPLES: Final = {
    "first_name": "Sam",
    "last_name": "Sample",
    "name": "Sam Sample",
    "email": "sam.sample@example.com",
    "phone": "+44 20 7946 0000",
    "company": "Example Ltd",
    "unsubscribe_link": "https://example.com/unsubscribe",
}
"""Whose name stands in a letter that nobody gets."""


@dataclass(frozen=True, slots=True)
class SystemMailbox:
    """The address that belongs to no recruiter, and its server."""

    address: str
    endpoint: Endpoint
    credentials: Credentials = field(repr=False)


@dataclass(frozen=True, slots=True)
class TrialLetterResult:
    """What became of it: ``title`` and ``fix`` are words for people, ``raw`` the server's own."""

    sent: bool
    to: str
    subject: str
    title: str
    raw: str = ""
    fix: str = ""


class TrialLetter:
    """Use case of whoever writes a campaign. ``system`` None: the operator has set up no system address."""

    def __init__(self, tools: Tools, transport: MailTransport, system: SystemMailbox | None) -> None:
        self._tools = tools
        self._transport = transport
        self._system = system

    @property
    def sender(self) -> str:
        """The address that test letters come from; empty where there is none."""
        return self._system.address if self._system else ""

    async def send_test(
        self, actor: Actor, campaign_name: str, position: int, to: str | None = None
    ) -> TrialLetterResult:
        """A stage (counted from 1) of a campaign to ``to``, else to the actor's own address.

        Raises RefusedError where there is no system address or the stage is no mail, NotFoundError, InputError,
        NotAllowedError.
        """
        require_recruiter(actor)
        async with self._tools.store.read(actor.workspace) as uow:
            campaign = await find_campaign(uow, campaign_name)
        stage = campaign.stage_at(position)
        if stage is None:
            raise NotFoundError(f"“{campaign.name}” has no stage {position}.")
        return await self.send_stage(actor, stage, to=to, subject=_subject_of(campaign, stage))

    async def send_stage(
        self, actor: Actor, stage: Stage, *, to: str | None = None, subject: str = ""
    ) -> TrialLetterResult:
        """A stage that need not be stored yet. ``subject`` where the stage has none of its own. Raises as above."""
        require_recruiter(actor)
        system = self._usable()
        if stage.kind != "email":
            raise RefusedError(f"This stage is no mail but a {stage.kind}: there is nothing to send.", reason="no_mail")
        letter = self._letter(system, stage, _target(actor, to), subject)
        result = await self._sent(system, letter)
        async with self._tools.store.write(actor.workspace) as uow:
            facts = {"to": result.to, "sent": result.sent}
            now = self._tools.clock.now()
            await uow.audit.add(at=now, actor=actor.user, action="stage.test", subject=str(stage.position), facts=facts)
        return result

    def _usable(self) -> SystemMailbox:
        if self._system is None:
            raise RefusedError(
                "Test letters are off: there is no system address to send them from.",
                reason="system_mail_off",
                fix="The operator sets RETHREAD_SYSTEM_FROM and RETHREAD_SYSTEM_SMTP.",
            )
        return self._system

    def _letter(self, system: SystemMailbox, stage: Stage, to: str, subject: str) -> Letter:
        def filled(template: str, *, escape: bool = False) -> str:
            values = {name: SAMPLES.get(name, f"[{name}]") for name in fields_in(template)}
            return render(template, {**values, "sender_email": system.address}, escape=escape).text

        text = filled(stage.body)
        return Letter(
            sender=system.address,
            sender_name="Rethread test",
            recipient=to,
            recipient_name="",
            subject=f"[Test] {filled(stage.subject or subject)}".rstrip(),
            text=text,
            html=filled(stage.html, escape=True) if stage.html else html_from_text(text),
            message_id=f"rethread-test.{self._tools.new_id()}@{domain_of(system.address)}",
            date=self._tools.clock.now(),
            extra=(("Auto-Submitted", "auto-generated"),),  # nobody's holiday notice shall answer (RFC 3834)
        )

    async def _sent(self, system: SystemMailbox, letter: Letter) -> TrialLetterResult:
        def result(title: str, raw: str, fix: str = "", *, sent: bool = False) -> TrialLetterResult:
            return TrialLetterResult(sent, letter.recipient, letter.subject, title, raw, fix)

        try:
            receipt = await self._transport.send(
                system.endpoint,
                system.credentials,
                sender=system.address,
                recipients=[letter.recipient],
                raw=compose(letter),
            )
        except OutcomeUnknownError as error:
            return result("The server was silent: nobody knows whether it took the test", error.raw, "Look for it.")
        except MailError as error:
            return _refused(result, error)
        return result(f"The test is on its way to {letter.recipient}", receipt.reply, sent=True)


def _refused(result: Callable[..., TrialLetterResult], error: MailError) -> TrialLetterResult:
    verdict = diagnose_error(error)
    return result(f"The test did not go: {verdict.title}", verdict.raw, "Tell whoever runs Rethread.")


def _subject_of(campaign: Campaign, stage: Stage) -> str:
    """The subject of the thread that the stage would belong to (R162)."""
    earlier = [one.subject for one in campaign.stages[: stage.position] if one.kind == "email" and one.subject]
    return stage.subject or (f"Re: {earlier[0]}" if earlier else "")


def _target(actor: Actor, to: str | None) -> str:
    address = (to or actor.email).strip()
    if not is_valid(address):
        shown = f"{address[:80]!r} is not an e-mail address" if address else "no address to send the test to"
        raise InputError(shown, field="to", fix="Name the address that the test shall go to.")
    return address
