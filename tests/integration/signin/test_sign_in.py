"""Connecting by signing in: who may, what is checked before anything is stored, and what people are told."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from core.domain.account import MailboxStatus
from core.errors import InputError, NotFoundError, RefusedError, RethreadError
from core.ports.mail import Credentials
from core.services.connecting import ConnectRefusedError
from sandbox.mail.accounts import APP_PASSWORD
from tests.integration.signin.conftest import ADA, ADDRESSES, OMAR, OTHERS, RITA, Agency

PROVIDERS = ["google", "microsoft"]


@pytest.mark.parametrize("provider", PROVIDERS)
async def test_signing_in_connects_the_mailbox_for_whom_the_link_was_made(agency: Agency, provider: str) -> None:
    """Read and sent from with XOAUTH2 before it is stored."""
    mailbox = await agency.sign_in(provider)
    assert (mailbox.address, mailbox.owner, mailbox.provider) == (ADDRESSES[provider], "U0RITA", provider)
    assert (mailbox.sign_in, mailbox.status) == (provider, MailboxStatus.CONNECTING)
    assert mailbox.signed_in_at is not None
    assert mailbox.token_expires_at == (await agency.stored(mailbox)).expires_at
    assert (await agency.stored(mailbox)).refresh_token


async def test_what_is_refused_asks_nothing_of_the_provider(agency: Agency) -> None:
    """A spent link, an address that is none, a provider that is not set up, an address to come back to without TLS."""
    ticket = await agency.uses.connecting.issue_ticket(RITA)
    back = agency.callback("google")
    begin = agency.uses.sign_in.begin
    with pytest.raises(NotFoundError):
        await begin("T1.no-such-link", "google", "rita@sprout.test", redirect_uri=back)
    with pytest.raises(InputError):
        await begin(ticket, "google", "rita", redirect_uri=back)
    with pytest.raises(RefusedError, match="not set up") as unknown:
        await begin(ticket, "yahoo", "rita@sprout.test", redirect_uri=back)
    assert unknown.value.reason == "sign_in_unavailable"
    with pytest.raises(RefusedError, match="HTTPS") as plain:
        await begin(ticket, "google", "rita@sprout.test", redirect_uri="http://rethread.agency.test/oauth")
    assert "RETHREAD_PUBLIC_URL" in plain.value.fix


@pytest.mark.parametrize("provider", PROVIDERS)
async def test_another_account_than_the_one_asked_for_is_refused_with_both_names(agency: Agency, provider: str) -> None:
    """A browser may be signed in as somebody else; nothing of it is stored."""
    agency.turn(provider, "signs_in_as", OTHERS[provider])
    refused = await agency.refusal(provider)
    assert isinstance(refused, RefusedError)
    assert refused.reason == "wrong_account"
    assert OTHERS[provider] in refused.message
    assert ADDRESSES[provider] in refused.message
    assert await agency.mailboxes() == []


async def test_a_state_is_good_once_and_only_at_its_provider(agency: Agency) -> None:
    """Whoever repeats a callback, or brings it elsewhere, gets nothing."""
    ticket = await agency.uses.connecting.issue_ticket(RITA)
    started = await agency.begin("google", ticket=ticket)
    told = await agency.press(started, account=ADDRESSES["google"])
    with pytest.raises(RefusedError, match="finished already"):
        await agency.finish("microsoft", started, told)
    with pytest.raises(RefusedError, match="finished already"):
        await agency.finish("google", started, told)
    started = await agency.begin("google", ticket=ticket)
    told = await agency.press(started, account=ADDRESSES["google"])
    await agency.finish("google", started, told)
    with pytest.raises(RethreadError):
        await agency.finish("google", started, told)


@pytest.mark.parametrize(
    "state", ["", "T1", "T1.sc.", "T1.sc." + "x" * 43, "T2.x\0y", "../T1.sc." + "a" * 43, "T1." * 9]
)
async def test_states_that_nobody_was_given_are_refused(agency: Agency, state: str) -> None:
    with pytest.raises(RefusedError, match="finished already"):
        await agency.uses.sign_in.finish("google", state, "a-code", verifier="v", redirect_uri="https://x.test/")


async def test_the_two_switches_come_back_as_they_were_chosen(agency: Agency) -> None:
    """They ride in the state, which nobody can change."""
    started = await agency.begin("google", send=False)
    told = await agency.press(started, account=ADDRESSES["google"])
    with pytest.raises(RefusedError):
        await agency.finish("google", started, {**told, "state": told["state"].replace(".-c.", ".sc.")})
    mailbox = await agency.finish("google", started, told)
    assert (mailbox.send, mailbox.capture) == (False, True)


@pytest.mark.parametrize("provider", PROVIDERS)
async def test_a_code_is_worth_nothing_in_another_browser(agency: Agency, provider: str) -> None:
    """The verifier stays with the browser that began (RFC 7636)."""
    started = await agency.begin(provider)
    told = await agency.press(started, account=ADDRESSES[provider])
    with pytest.raises(ConnectRefusedError) as refused:
        await agency.finish(provider, started, told, verifier="another-verifier-of-forty-three-characters-x")
    assert refused.value.side == "sign_in"
    assert await agency.mailboxes() == []


@pytest.mark.parametrize("provider", PROVIDERS)
async def test_reconnecting_keeps_settings_and_history(agency: Agency, provider: str) -> None:
    """By a link made for this mailbox: its address, owner and switches, whatever else the page says (R49)."""
    mailbox = await agency.sign_in(provider)
    async with agency.store.write("T1") as uow:
        await uow.mailboxes.save(replace(mailbox, capture=False, display_name="Rita"))
    ticket = await agency.uses.connecting.issue_ticket(ADA, mailbox.id)
    again = await agency.sign_in(provider, ticket=ticket)
    assert (again.id, again.owner, again.capture, again.display_name) == (mailbox.id, "U0RITA", False, "Rita")
    assert again.signed_in_at is not None
    assert mailbox.signed_in_at is not None
    assert again.signed_in_at > mailbox.signed_in_at


async def test_a_mailbox_changes_from_password_to_sign_in_and_back(agency: Agency) -> None:
    """One mailbox, one history; a password that is set aside is forgotten."""
    await agency.mail.switch(ADDRESSES["google"], "app_password", True)
    by_password = agency.by_password("google", APP_PASSWORD)
    first = await agency.uses.connecting.connect(RITA, by_password)
    assert (first.sign_in, first.token_expires_at) == ("password", None)
    assert first.signed_in_at is not None
    signed = await agency.sign_in("google")
    assert (signed.id, signed.sign_in) == (first.id, "google")
    assert (await agency.stored(signed)).password == ""
    back = await agency.uses.connecting.connect(RITA, by_password)
    assert (back.id, back.sign_in) == (first.id, "password")
    assert await agency.stored(back) == Credentials(ADDRESSES["google"], APP_PASSWORD)


async def test_somebody_elses_mailbox_is_not_taken_over_by_signing_in(agency: Agency) -> None:
    """Knowing its sign-in does not make it one's own in the workspace."""
    await agency.sign_in("google")
    ticket = await agency.uses.connecting.issue_ticket(OMAR)
    refused = await agency.refusal("google", ticket=ticket)
    assert refused.code == "not_allowed"
    (mailbox,) = await agency.mailboxes()
    assert mailbox.owner == "U0RITA"


@pytest.mark.parametrize("provider", PROVIDERS)
@pytest.mark.parametrize("switch", ["imap_off", "imap_off_admin"])
async def test_a_good_token_that_imap_refuses_means_that_imap_is_off(
    agency: Agency, provider: str, switch: str
) -> None:
    """The provider has just vouched for the person, so nothing is wrong with the sign-in."""
    await agency.mail.switch(ADDRESSES[provider], switch, True)
    refused = await agency.refusal(provider)
    assert isinstance(refused, ConnectRefusedError)
    assert refused.side == "imap"
    verdict = refused.diagnosis
    assert verdict.cause in ("imap_disabled", "imap_disabled_by_admin", "mailbox_not_reachable")
    assert verdict.who in ("recruiter", "mail_admin")
    assert "IMAP" in verdict.fix
    assert await agency.mailboxes() == []


@pytest.mark.parametrize("provider", PROVIDERS)
async def test_mail_access_that_was_left_unticked_is_named(agency: Agency, provider: str) -> None:
    """Before IMAP is tried in vain."""
    agency.turn(provider, "no_mail_scope")
    refused = await agency.refusal(provider)
    assert isinstance(refused, ConnectRefusedError)
    assert (refused.side, refused.diagnosis.cause) == ("sign_in", "oauth_scope_missing")


@pytest.mark.parametrize("provider", PROVIDERS)
async def test_a_person_who_says_no_is_told_what_that_means(agency: Agency, provider: str) -> None:
    """The redirect carries the error; the link stays good, the state does not."""
    ticket = await agency.uses.connecting.issue_ticket(RITA)
    told = await agency.press(await agency.begin(provider, ticket=ticket), cancel="1")
    words = told.get("error_description", "")
    refused = await agency.uses.sign_in.refused(provider, told["state"], told["error"], words)
    assert refused.diagnosis.cause == "user_denied_consent"
    with pytest.raises(RefusedError):
        await agency.uses.sign_in.refused(provider, told["state"], told["error"], words)
    assert (await agency.sign_in(provider, ticket=ticket)).address == ADDRESSES[provider]


@pytest.mark.parametrize(
    ("provider", "switch", "cause"),
    [
        ("google", "secret_wrong", "oauth_client_secret_invalid"),
        ("google", "throttled", "oauth_rate_limited"),
        ("google", "down", "server_unavailable"),
        ("microsoft", "secret_wrong", "oauth_client_secret_invalid"),
        ("microsoft", "secret_expired", "oauth_client_secret_expired"),
        ("microsoft", "throttled", "oauth_rate_limited"),
        ("microsoft", "down", "server_unavailable"),
    ],
)
async def test_a_broken_app_or_service_has_its_own_cause(
    agency: Agency, provider: str, switch: str, cause: str
) -> None:
    """The person who signed in is not blamed (R60 to R62)."""
    started = await agency.begin(provider)
    told = await agency.press(started, account=ADDRESSES[provider])
    agency.turn(provider, switch, True, "app")
    with pytest.raises(ConnectRefusedError) as refused:
        await agency.finish(provider, started, told)
    assert refused.value.diagnosis.cause == cause


async def test_two_callbacks_at_once_connect_one_mailbox(agency: Agency) -> None:
    """A page that is loaded twice."""
    started = await agency.begin("google")
    told = await agency.press(started, account=ADDRESSES["google"])
    ends = await asyncio.gather(*(agency.finish("google", started, told) for _ in range(2)), return_exceptions=True)
    assert sum(isinstance(end, RefusedError) for end in ends) == 1
    assert len(await agency.mailboxes()) == 1
