"""*Send test*, and what the owner of a mailbox says of it: signature and aliases."""

from __future__ import annotations

import email
from email.policy import default
from typing import Any

import pytest

from core.domain.actor import Actor, Role
from core.errors import InputError, LoginRefusedError, NotAllowedError, NotFoundError, OutcomeUnknownError, RefusedError
from core.ports.mail import Credentials, Endpoint, Tls
from core.services.metrics import MetricsService
from core.services.signatures import MOST_ALIASES, MOST_TEXT, SignatureService
from core.services.trial_letter import SystemMailbox, TrialLetter
from tests.fakes.mail import PASSWORD
from tests.services.rig import ADA, CAMPAIGN, FILE, OMAR, RITA, VERA, Rig

SYSTEM = SystemMailbox(
    "noreply@rethread.example",
    Endpoint("smtp.rethread.example", 587, Tls.STARTTLS),
    Credentials("noreply@rethread.example", PASSWORD),
)
HERSELF = Actor("T1", "U0RITA", Role.RECRUITER, email="rita@agency.test")
COMPANY = FILE.replace("Hi {{first_name}}", "Hi {{first_name}} at {{company|your place}}, {{salary}}")


def trial(rig: Rig, system: SystemMailbox | None = SYSTEM) -> TrialLetter:
    return TrialLetter(rig.tools, rig.transport, system)


async def test_a_test_comes_from_the_system_with_sample_entries(rig: Rig) -> None:
    """R170..R173: the body alone, no signature, no thread, no way to unsubscribe; a field is shown by its name."""
    await rig.open()
    mailbox = await rig.mailboxes.find(ADA, "rita@agency.test")
    await SignatureService(rig.tools).set_signature(RITA, mailbox.id, "Rita Reed, Agency")
    await rig.launch(1, COMPANY, start=False)
    result = await trial(rig).send_test(HERSELF, CAMPAIGN, 1)
    assert (result.sent, result.to, result.subject) == (True, "rita@agency.test", "[Test] Sam, a role")
    mail: Any = email.message_from_bytes(rig.provider.accepted[0], policy=default)
    assert mail["From"].addresses[0].addr_spec == "noreply@rethread.example"
    assert mail.get_body(("plain",)).get_content().strip() == "Hi Sam at Example Ltd, [salary]"
    assert not {"List-Unsubscribe", "In-Reply-To", "References", "X-Rethread-Delivery"} & set(mail.keys())
    assert mail["Auto-Submitted"] == "auto-generated"


async def test_a_test_touches_no_figure_limit_or_status(rig: Rig) -> None:
    """R225."""
    await rig.open(daily_email_limit=1)
    await rig.launch(1)
    metrics = MetricsService(rig.tools)
    before = await metrics.campaign(RITA, CAMPAIGN), await rig.states(), await rig.events(), await rig.shows()
    for stage in (1, 2, 3):
        assert (await trial(rig).send_test(HERSELF, CAMPAIGN, stage)).sent
    assert before == (await metrics.campaign(RITA, CAMPAIGN), await rig.states(), await rig.events(), await rig.shows())
    assert await rig.send_due() == 1


async def test_a_follow_up_shows_the_subject_of_its_thread(rig: Rig) -> None:
    await rig.launch(1, start=False)
    assert (await trial(rig).send_test(HERSELF, CAMPAIGN, 2)).subject == "[Test] Re: Sam, a role"


@pytest.mark.parametrize(
    ("error", "title"),
    [
        (LoginRefusedError("535 5.7.8 no", layer="smtp"), "The test did not go"),
        (OutcomeUnknownError("silence", layer="smtp"), "nobody knows whether it took the test"),
    ],
)
async def test_what_the_server_says_is_told(rig: Rig, error: Exception, title: str) -> None:
    await rig.launch(1, start=False)
    rig.provider.outcomes = [error]  # type: ignore[list-item]
    result = await trial(rig).send_test(HERSELF, CAMPAIGN, 1)
    assert not result.sent
    assert title in result.title
    assert result.raw


async def test_what_cannot_be_tested_says_why(rig: Rig) -> None:
    """No system address, no such stage or campaign, a call, nobody to send to, a viewer."""
    call = FILE + "  - kind: call\n    note: Ask\n"
    await rig.launch(1, call, start=False)
    with pytest.raises(RefusedError, match="no system address") as refused:
        await trial(rig, None).send_test(HERSELF, CAMPAIGN, 1)
    assert "RETHREAD_SYSTEM_FROM" in refused.value.fix
    with pytest.raises(NotFoundError):
        await trial(rig).send_test(HERSELF, CAMPAIGN, 9)
    with pytest.raises(NotFoundError):
        await trial(rig).send_test(HERSELF, "Nonesuch", 1)
    with pytest.raises(RefusedError, match="call"):
        await trial(rig).send_test(HERSELF, CAMPAIGN, 4)
    with pytest.raises(InputError):
        await trial(rig).send_test(RITA, CAMPAIGN, 1)
    with pytest.raises(InputError):
        await trial(rig).send_test(HERSELF, CAMPAIGN, 1, "no address")
    with pytest.raises(NotAllowedError):
        await trial(rig).send_test(VERA, CAMPAIGN, 1)
    assert rig.provider.accepted == []


async def test_only_the_owner_and_admins_sign(rig: Rig) -> None:
    await rig.open()
    mailbox = await rig.mailboxes.find(ADA, "rita@agency.test")
    signatures = SignatureService(rig.tools)
    for actor in (OMAR, VERA):
        with pytest.raises(NotAllowedError):
            await signatures.set_signature(actor, mailbox.id, "Mine")
        with pytest.raises(NotAllowedError):
            await signatures.set_aliases(actor, mailbox.id, ["x@agency.test"])
    assert (await signatures.set_signature(ADA, mailbox.id, " Rita\r\nReed ")).signature_text == "Rita\nReed"
    assert (await signatures.set_signature(RITA, mailbox.id, "")).signature_text == ""


@pytest.mark.parametrize(
    "aliases",
    [
        ["no address"],
        ["rita@agency.test"],
        ["a@x.test\r\nBcc: b@x.test"],
        [f"a{n}@x.test" for n in range(MOST_ALIASES + 1)],
    ],
)
async def test_an_alias_is_an_address_of_nobody_else(rig: Rig, aliases: list[str]) -> None:
    await rig.open()
    mailbox = await rig.mailboxes.find(ADA, "rita@agency.test")
    with pytest.raises(InputError):
        await SignatureService(rig.tools).set_aliases(RITA, mailbox.id, aliases)


@pytest.mark.parametrize("text", ["x" * (MOST_TEXT + 1), "a\x00b", "turned \u202e round"])
async def test_a_signature_is_plain_and_not_endless(rig: Rig, text: str) -> None:
    await rig.open()
    mailbox = await rig.mailboxes.find(ADA, "rita@agency.test")
    with pytest.raises(InputError):
        await SignatureService(rig.tools).set_signature(RITA, mailbox.id, text)
