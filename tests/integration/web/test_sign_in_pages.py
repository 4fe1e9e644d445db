"""The steps of connecting and the way to a provider and back, without a browser: what is asked, kept and never told."""

from __future__ import annotations

import logging
from dataclasses import replace
from http.cookies import SimpleCookie
from urllib.parse import urlencode

import pytest

from core.domain.diagnosis import Failure, diagnose
from core.errors import NotAllowedError, NotFoundError, RefusedError, UnreachableError
from core.services.connecting import ConnectRefusedError
from tests.fakes.discovery import VERIFIER
from tests.integration.web.conftest import FILLED, Seen, Site, Visitor, by_password, csrf_of
from tests.stores import make_mailbox

GOOGLE = "rita@sprout.test"
CALLBACK = "/oauth/google/callback?"


def found(token: str, address: str = GOOGLE) -> str:
    """The step with what was found about an address."""
    return f"{token}?way=find&address={address}"


async def leave(visitor: Visitor, token: str, **fields: str) -> Seen:
    """Presses the button of the second step; the redirect is not followed."""
    page = await visitor.look(found(token))
    data = {"csrf": csrf_of(page.text), "provider": "google", "address": GOOGLE, "send": "1", "capture": "1"}
    data = {name: value for name, value in {**data, **fields}.items() if value}
    return await visitor.ask("POST", f"/connect/{token}/signin", data=data, allow_redirects=False)


async def come_back(visitor: Visitor, **told: str) -> Seen:
    return await visitor.ask("GET", CALLBACK + urlencode({"state": "state-1", "code": "a-code", **told}))


async def test_the_first_step_asks_the_address_alone(site: Site, visitor: Visitor) -> None:
    """Filled in with what Slack knows; what is no address is left out, and nothing is looked up yet."""
    token = site.tickets.issue()
    page = await visitor.look(f"{token}?address=rita@agency.test&name=Rita%20%3Cb%3E")
    assert 'value="rita@agency.test"' in page.text
    assert "Rita &lt;b&gt;" in page.text
    assert "password" not in page.text
    assert 'value="javascript' not in (await visitor.look(f"{token}?address=javascript:alert(1)")).text
    assert site.discovery.asked == []


@pytest.mark.parametrize("way", ["", "?way=find&address=rita@sprout.test", "?way=password&address=rita@agency.test"])
async def test_every_step_says_whose_the_mailbox_will_be(site: Site, visitor: Visitor, way: str) -> None:
    """Somebody may hand a colleague their own link. The name in the link can be anybody's, the ticket's user cannot."""
    page = await visitor.look(f"{site.tickets.issue()}{way}")
    assert "will belong to the Slack account <code>U0RITA</code>" in page.text
    named = await visitor.look(f"{site.tickets.issue()}{way}{'&' if way else '?'}name=Omar")
    assert "<code>U0RITA</code>" in named.text


async def test_a_reconnect_says_whose_the_mailbox_is_whoever_asked_for_the_link(site: Site, visitor: Visitor) -> None:
    """An admin's link to somebody's mailbox does not make it the admin's."""
    for sign_in in ("google", "password"):
        mailbox = make_mailbox(owner="U0OMAR", sign_in=sign_in)
        page = await visitor.look(site.tickets.issue(mailbox=mailbox))
        assert "belongs to the Slack account <code>U0OMAR</code>" in page.text
        assert "U0RITA" not in page.text


async def test_the_end_says_whose_the_mailbox_is(site: Site, visitor: Visitor) -> None:
    page = await visitor.send(site.tickets.issue(), **FILLED)
    assert "It belongs to the Slack account <code>U0RITA</code>." in page.text


async def test_a_wrong_address_is_named_at_its_field(site: Site, visitor: Visitor) -> None:
    """Nothing is looked up for it."""
    page = await visitor.look(found(site.tickets.issue(), "rita"))
    assert page.status == 422
    assert 'id="address-wrong"' in page.text
    assert site.discovery.asked == []


async def test_the_second_step_leads_to_the_provider_that_was_found(site: Site, visitor: Visitor) -> None:
    """In words, with one button; the name from Slack stays for the form behind the fold."""
    page = await visitor.look(found(site.tickets.issue()) + "&name=Rita")
    assert "MX says Google" in page.text
    assert "Sign in with Google" in page.text
    assert "way=password&amp;address=rita%40sprout.test&amp;name=Rita" in page.text
    assert 'type="password"' not in page.text
    assert "support.google.com" in page.text  # the provider's own limits


async def test_microsofts_page_helps_with_two_factors(site: Site, visitor: Visitor) -> None:
    """R29."""
    page = await visitor.look(found(site.tickets.issue(), "rita@meridian.test"))
    assert "With two-factor authentication, Microsoft asks for the second step" in page.text
    assert "Need admin approval" in page.text


async def test_a_warning_of_the_provider_stands_on_the_page(site: Site, visitor: Visitor) -> None:
    """GoDaddy (R75)."""
    page = await visitor.look(found(site.tickets.issue(), "rita@dad.test"))
    assert "GoDaddy does not always hand over" in page.text


async def test_another_provider_than_dns_names_is_a_wrong_choice(site: Site, visitor: Visitor) -> None:
    """Signing in at Microsoft for a Google mailbox is named before it is tried (R54)."""
    page = await visitor.look(f"{site.tickets.issue()}?way=microsoft&address={GOOGLE}")
    assert "seems to be at Google, not at Microsoft" in page.text


class TestWhereNobodyCanSignIn:
    """No OAuth client in the settings, or no HTTPS to come back to."""

    @pytest.fixture
    def offered(self) -> tuple[str, ...]:
        return ()

    async def test_the_form_comes_at_once(self, site: Site, visitor: Visitor) -> None:
        """With what is known of the provider's passwords."""
        page = await visitor.look(found(site.tickets.issue()))
        assert 'type="password"' in page.text
        assert "Google wants an app password here" in page.text
        assert "https://myaccount.google.com/apppasswords" in page.text

    async def test_a_mailbox_that_signed_in_gets_a_form_with_servers(self, site: Site, visitor: Visitor) -> None:
        """The OAuth client was taken out of the settings: a password, where the provider takes one."""
        mailbox = make_mailbox(address=GOOGLE, imap_host="imap.gmail.com")
        mailbox = replace(mailbox, sign_in="google", provider="google")
        page = await visitor.look(site.tickets.issue(mailbox=mailbox))
        assert 'type="password"' in page.text
        assert 'value="imap.sprout.test"' in page.text


async def test_leaving_keeps_the_verifier_in_a_cookie_of_this_sign_in(site: Site, visitor: Visitor) -> None:
    """Out of reach of script, for the callback only, for ten minutes; the switches go along."""
    token = site.tickets.issue()
    seen = await leave(visitor, token, capture="")
    assert seen.status == 303
    assert seen.headers["Location"] == "https://google.test/authorise?state=state-1&x=1"
    assert seen.headers["Referrer-Policy"] == "no-referrer"
    assert site.sign_ins.begun == [("google", GOOGLE, "http://127.0.0.1:3000/oauth/google/callback", True, False)]
    cookie = seen.headers["Set-Cookie"]
    assert cookie.startswith("rethread_signin_")
    for part in ("HttpOnly", "SameSite=Lax", "Path=/oauth", "Max-Age=600"):
        assert part in cookie
    for secret in (VERIFIER, token):
        assert secret not in cookie
        assert secret not in seen.headers["Location"]
    assert SimpleCookie(cookie)


async def test_coming_back_finishes_with_this_browsers_verifier(
    site: Site, visitor: Visitor, caplog: pytest.LogCaptureFixture
) -> None:
    """Connected; neither code nor state nor link is on the page or in a log."""
    token = site.tickets.issue()
    await leave(visitor, token)
    with caplog.at_level(logging.DEBUG):
        page = await come_back(visitor, code="the-very-code")
    assert page.status == 200
    assert "is connected" in page.text
    assert site.sign_ins.finished == [("google", "state-1", "the-very-code", VERIFIER)]
    ours = "\n".join(record.getMessage() for record in caplog.records)
    for secret in ("the-very-code", "state-1", token):
        assert secret not in page.text
        assert secret not in ours


async def test_a_surprise_on_the_way_back_logs_no_code(
    site: Site, visitor: Visitor, caplog: pytest.LogCaptureFixture
) -> None:
    """The log has a reference and the route's pattern."""
    await leave(visitor, site.tickets.issue())
    site.sign_ins.refusal = ZeroDivisionError("nobody expected this")
    with caplog.at_level(logging.DEBUG):
        page = await come_back(visitor, code="the-very-code")
    assert page.status == 500
    assert "the-very-code" not in caplog.text


async def test_two_sign_ins_at_once_do_not_take_each_others_cookie(site: Site, visitor: Visitor) -> None:
    """Two tabs of one browser."""
    await leave(visitor, site.tickets.issue())
    await leave(visitor, site.tickets.issue("T1.second"))
    assert (await come_back(visitor)).status == 200
    site.tickets.issue("T1.second")
    assert (await come_back(visitor, state="state-2")).status == 200


async def test_a_browser_that_did_not_begin_is_told_so(site: Site, visitor: Visitor, stranger: Visitor) -> None:
    """Nothing is spent by it."""
    await leave(visitor, site.tickets.issue())
    page = await come_back(stranger)
    assert page.status == 403
    assert "This browser did not begin the sign-in" in page.text
    assert site.sign_ins.finished == []


@pytest.mark.parametrize("cookie", ["", "x", "%%%", "W10", "WzEsMiwzXQ", "A" * 5_000, "WzEsMiwzLDRd"])
async def test_a_cookie_that_cannot_be_read_is_none(site: Site, visitor: Visitor, cookie: str) -> None:
    """Empty, garbage, another shape, too long."""
    seen = await leave(visitor, site.tickets.issue())
    name = seen.headers["Set-Cookie"].partition("=")[0]
    visitor.session.cookie_jar.clear()
    page = await visitor.ask("GET", CALLBACK + "state=state-1&code=x", headers={"Cookie": f"{name}={cookie}"})
    assert page.status == 403


@pytest.mark.parametrize("query", ["", "state=state-1", "code=x", "error=access_denied", "state=&code="])
async def test_a_callback_that_tells_nothing_is_a_page_in_words(site: Site, visitor: Visitor, query: str) -> None:
    page = await visitor.ask("GET", CALLBACK + query)
    assert page.status == 400
    assert "sign in again" in page.text


async def test_a_refusal_is_shown_in_the_providers_words(site: Site, visitor: Visitor) -> None:
    """Escaped, with the fix and the way back to the link that is still good (R43)."""
    token = site.tickets.issue()
    await leave(visitor, token)
    page = await come_back(visitor, code="", error="access_denied", error_description="The <b>user</b> said no")
    assert page.status == 422
    assert "Google said:" in page.text
    assert "The &lt;b&gt;user&lt;/b&gt; said no" in page.text
    assert "Permission was declined" in page.text
    assert f"/connect/{token}?way=find&amp;address=rita%40sprout.test" in page.text
    assert site.sign_ins.declined == [("access_denied", "The <b>user</b> said no")]


@pytest.mark.parametrize(
    ("refusal", "words"),
    [
        (RefusedError("You signed in as omar@sprout.test.", fix="Choose rita."), "You signed in as omar@sprout.test."),
        (NotAllowedError("rita@sprout.test belongs to somebody else."), "belongs to somebody else"),
        (UnreachableError("[Errno 111] Connection refused", layer="socket"), "[Errno 111] Connection refused"),
        (ConnectRefusedError("imap", diagnose(Failure("imap", "NO IMAP is off", ""))), "The mail server said:"),
    ],
)
async def test_whatever_ends_a_sign_in_leaves_a_way_to_try_again(
    site: Site, visitor: Visitor, refusal: Exception, words: str
) -> None:
    await leave(visitor, site.tickets.issue())
    site.sign_ins.refusal = refusal
    page = await come_back(visitor)
    assert page.status == 422
    assert words in page.text
    assert "Try again" in page.text


async def test_a_link_that_is_over_has_no_way_to_try_again(site: Site, visitor: Visitor) -> None:
    """It is told how to get a new one."""
    await leave(visitor, site.tickets.issue())
    site.tickets.links.clear()
    site.sign_ins.refusal = RefusedError("This sign-in was finished already.")
    page = await come_back(visitor)
    assert "Try again" not in page.text
    assert "/mailbox connect" in page.text
    site.sign_ins.refusal = NotFoundError("This link has been used already.")
    assert (await come_back(visitor)).status == 410


@pytest.mark.parametrize("csrf", ["", "0" * 64])
async def test_only_our_own_form_leads_away(site: Site, visitor: Visitor, csrf: str) -> None:
    """A forged post begins nothing."""
    seen = await leave(visitor, site.tickets.issue(), csrf=csrf or "x")
    assert seen.status == 403
    assert site.sign_ins.begun == []


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"address": "rita"}, "Enter the whole e-mail address"),
        ({"send": "", "capture": ""}, "Choose at least one"),
    ],
)
async def test_what_cannot_begin_is_told_at_once(
    site: Site, visitor: Visitor, fields: dict[str, str], words: str
) -> None:
    seen = await leave(visitor, site.tickets.issue(), **fields)
    assert seen.status == 422
    assert words in seen.text
    assert site.sign_ins.begun == []


@pytest.mark.parametrize("provider", ["google", "yahoo", "x" * 500])
async def test_a_sign_in_that_is_refused_before_it_begins(site: Site, visitor: Visitor, provider: str) -> None:
    """No HTTPS, not set up, or nobody we know: said on the page, with what to do."""
    site.sign_ins.refusal = RefusedError("Signing in needs an HTTPS address.", fix="Set RETHREAD_PUBLIC_URL.")
    seen = await leave(visitor, site.tickets.issue(), provider=provider)
    assert seen.status == 422
    assert "Signing in needs an HTTPS address." in seen.text
    assert "Set RETHREAD_PUBLIC_URL." in seen.text


async def test_only_the_page_without_a_password_may_lead_away(site: Site, visitor: Visitor) -> None:
    """A form with a password goes to us and nowhere else."""
    token = site.tickets.issue()
    away = (await visitor.look(found(token))).headers["Content-Security-Policy"]
    kept = (await visitor.look(by_password(token))).headers["Content-Security-Policy"]
    assert "form-action 'self' https:" in away
    assert "form-action 'self';" in kept


async def test_a_mailbox_that_signs_in_is_reconnected_by_signing_in(site: Site, visitor: Visitor) -> None:
    """Straight to the button; its address and switches are not asked (R49, R50)."""
    mailbox = replace(make_mailbox(address=GOOGLE), sign_in="google", provider="google")
    token = site.tickets.issue(mailbox=mailbox)
    page = await visitor.look(token)
    assert f"Reconnect {GOOGLE}" in page.text
    assert "Sign in with Google" in page.text
    assert 'type="checkbox"' not in page.text
    await leave(visitor, token, address="omar@sprout.test")
    assert site.sign_ins.begun[0][:2] == ("google", GOOGLE)


async def test_a_password_mailbox_may_be_reconnected_by_signing_in(site: Site, visitor: Visitor) -> None:
    """The form stands first, and the sign-in beside it."""
    token = site.tickets.issue(mailbox=make_mailbox(address=GOOGLE))
    page = await visitor.look(token)
    assert 'type="password"' in page.text
    assert f"/connect/{token}?way=google" in page.text
    assert "Sign in with Google" in (await visitor.look(f"{token}?way=google")).text


async def test_a_password_for_microsoft_is_the_wrong_choice_before_and_after(site: Site, visitor: Visitor) -> None:
    """R54, R226: the outdated advice stands beside today's."""
    address = "rita@meridian.test"
    token = site.tickets.issue()
    before = await visitor.look(by_password(token, address))
    assert "Wrong choice:" in before.text
    verdict = diagnose(Failure("imap", "NO Basic authentication is disabled.", ""), provider="microsoft")
    site.tickets.refusal = ConnectRefusedError("imap", verdict)
    after = await visitor.send(token, **{**FILLED, "address": address})
    assert after.text.count("Wrong choice:") == 1
    assert "meridian.test is at Microsoft" in after.text
    assert "Outdated advice:" in after.text
    assert "way=microsoft" in after.text


async def test_searches_are_slowed_down_by_visitor(site: Site, visitor: Visitor) -> None:
    """Each asks hosts that the visitor names."""
    token = site.tickets.issue()
    statuses = [(await visitor.look(found(token))).status for _ in range(21)]
    assert statuses == [200] * 20 + [429]
