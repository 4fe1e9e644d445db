"""The one-time connect page: what it proposes, what it tries, and what it never does."""

from __future__ import annotations

import logging
from dataclasses import replace

import aiohttp
import pytest

from core.domain.account import MailboxStatus
from core.domain.diagnosis import Failure, diagnose
from core.domain.seats import SeatCount
from core.errors import InputError, NotAllowedError, UnreachableError
from core.ports.mail import Endpoint, Tls
from core.services.connecting import ConnectRefusedError
from core.services.discovery import Proposal
from tests.integration.web.conftest import FILLED, Site, Visitor, by_password, csrf_of
from tests.stores import make_mailbox


async def test_connects_with_proposed_servers(site: Site, visitor: Visitor) -> None:
    """Address and password are enough: servers, ports and user name follow from the address."""
    page = await visitor.send(site.tickets.issue(), **FILLED)

    assert page.status == 200
    assert "rita@agency.test is connected" in page.text
    assert "You can close this tab" in page.text
    assert "Do candidates write to other addresses of yours as well? Connect each of them" in page.text
    (tried,) = site.tickets.tried
    assert tried.imap == Endpoint("imap.agency.test", 993, Tls.SSL)
    assert tried.smtp == Endpoint("smtp.agency.test", 465, Tls.SSL)
    assert (tried.username, tried.password) == ("rita@agency.test", "correct horse")
    assert tried.send
    assert tried.capture


async def test_what_a_person_types_wins_over_proposals(site: Site, visitor: Visitor) -> None:
    """Servers, ports, security, names and switches arrive as typed; a port left empty is the usual one."""
    servers = {"imap_host": "mail.agency.test", "smtp_host": "out.agency.test", "smtp_tls": "starttls"}
    names = {"username": "rita", "display_name": "Rita Recruiter"}
    fields = {**FILLED, **servers, **names}
    del fields["send"]

    await visitor.send(site.tickets.issue(), **fields)

    (tried,) = site.tickets.tried
    assert tried.imap == Endpoint("mail.agency.test", 993, Tls.SSL)
    assert tried.smtp == Endpoint("out.agency.test", 587, Tls.STARTTLS)
    assert (tried.username, tried.display_name, tried.send, tried.capture) == ("rita", "Rita Recruiter", False, True)


async def test_looking_spends_nothing(site: Site, visitor: Visitor, stranger: Visitor) -> None:
    """Link scanners fetch the page many times, by GET and HEAD; the person's form still works afterwards."""
    token = site.tickets.issue()
    for method in ("GET", "HEAD", "GET", "HEAD"):
        assert (await stranger.look(token, method)).status == 200

    assert (await visitor.send(token, **FILLED)).status == 200
    assert len(site.tickets.tried) == 1


async def test_a_used_link_says_how_to_get_a_new_one(site: Site, visitor: Visitor) -> None:
    """Looking again and sending the same form again both end on a friendly page, and nothing is tried twice."""
    token = site.tickets.issue()
    form = await visitor.look(by_password(token))
    fields = {"csrf": csrf_of(form.text), **FILLED}
    await visitor.ask("POST", f"/connect/{token}", data=fields)

    again = await visitor.ask("POST", f"/connect/{token}", data=fields)
    look = await visitor.look(token)

    for page in (again, look):
        assert page.status == 410
        assert "/mailbox connect" in page.text
    assert len(site.tickets.tried) == 1


@pytest.mark.parametrize("token", ["x", "T1.%3Cscript%3Ealert(1)", "T1.%00%ff", "." * 3000])
async def test_links_that_never_were_are_answered_alike(site: Site, visitor: Visitor, token: str) -> None:
    """Garbage in the address tells nothing and shows nothing of itself."""
    page = await visitor.look(token)

    assert page.status == 410
    assert "script" not in page.text
    assert "alert" not in page.text


async def test_a_form_without_the_cookie_is_refused(site: Site, visitor: Visitor, stranger: Visitor) -> None:
    """Another site can make a browser post, but cannot make it bring the cookie; what was posted is not shown."""
    token = site.tickets.issue()
    stolen = csrf_of((await visitor.look(by_password(token))).text)

    page = await stranger.ask("POST", f"/connect/{token}", data={"csrf": stolen, **FILLED, "imap_host": "evil.test"})

    assert page.status == 403
    assert "evil.test" not in page.text
    assert site.tickets.tried == []


@pytest.mark.parametrize("csrf", ["", "0" * 64, "é", "x" * 5000])
async def test_a_form_with_a_wrong_mark_is_refused(site: Site, visitor: Visitor, csrf: str) -> None:
    """The cookie alone is not enough."""
    token = site.tickets.issue()
    await visitor.look(by_password(token))

    page = await visitor.ask("POST", f"/connect/{token}", data={**FILLED, "csrf": csrf})

    assert page.status == 403
    assert site.tickets.tried == []


async def test_the_mark_of_one_link_is_no_good_for_another(site: Site, visitor: Visitor) -> None:
    """The cookie is the same for both pages of a browser; the mark is bound to the link."""
    first, second = site.tickets.issue("T1.first"), site.tickets.issue("T1.second")
    mark = csrf_of((await visitor.look(by_password(first))).text)

    page = await visitor.ask("POST", f"/connect/{second}", data={**FILLED, "csrf": mark})

    assert page.status == 403
    assert site.tickets.tried == []


async def test_a_browser_that_says_cross_site_is_refused(site: Site, visitor: Visitor) -> None:
    """Fetch metadata counts where a browser sends it."""
    token = site.tickets.issue()
    mark = csrf_of((await visitor.look(by_password(token))).text)

    page = await visitor.ask(
        "POST", f"/connect/{token}", data={**FILLED, "csrf": mark}, headers={"Sec-Fetch-Site": "cross-site"}
    )

    assert page.status == 403


async def test_a_fix_does_not_ask_for_a_button_that_is_not_on_this_page(site: Site, visitor: Visitor) -> None:
    """The fix speaks of the card's Reconnect; whoever is on the page has come that far."""
    verdict = diagnose(Failure("imap", "NO [AUTHENTICATIONFAILED] Invalid credentials (Failure)", "imap.agency.test"))
    assert "Press Reconnect and enter" in verdict.fix
    site.tickets.refusal = ConnectRefusedError("imap", verdict)
    said = (await visitor.send(site.tickets.issue(), **FILLED)).text
    assert "Enter the full e-mail address" in said
    assert "Press Reconnect" not in said


async def test_a_refused_login_shows_side_words_and_fix(site: Site, visitor: Visitor) -> None:
    """The form comes back with what was typed but the password; then a right one connects by the same link."""
    token = site.tickets.issue()
    verdict = diagnose(Failure("smtp", "535 5.7.8 Error: <b>authentication</b> failed", "smtp.agency.test"))
    site.tickets.refusal = ConnectRefusedError("smtp", verdict)
    page = await visitor.send(token, **{**FILLED, "username": "rita", "password": "wr0ng-passw0rd"})

    assert page.status == 422
    assert "Sending mail (SMTP) did not work" in page.text
    assert "what the browser fills in may be an old one" in page.text
    assert "535 5.7.8 Error: &lt;b&gt;authentication&lt;/b&gt; failed" in page.text
    assert 'value="rita@agency.test"' in page.text
    assert 'value="rita"' in page.text
    assert "wr0ng-passw0rd" not in page.text

    site.tickets.refusal = None
    assert (await visitor.send(token, **FILLED)).status == 200


@pytest.mark.parametrize(
    ("refusal", "words"),
    [
        (NotAllowedError("rita@agency.test belongs to somebody else.", fix="Ask them."), "belongs to somebody else"),
        (
            UnreachableError("[Errno 111] Connection refused", layer="socket", host="x"),
            "[Errno 111] Connection refused",
        ),
        (InputError("is not an e-mail address", field="address"), "is not an e-mail address"),
    ],
)
async def test_other_refusals_keep_the_form(site: Site, visitor: Visitor, refusal: Exception, words: str) -> None:
    """Whatever the service says stands above the form, and the link stays good."""
    token = site.tickets.issue()
    site.tickets.refusal = refusal

    page = await visitor.send(token, **FILLED)

    assert page.status == 422
    assert words in page.text
    assert csrf_of(page.text)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("address", ""),
        ("address", "rita"),
        ("address", "rita@agency.test\r\nBcc: x@evil.test"),
        ("address", "r" * 2000 + "@agency.test"),
        ("password", ""),
        ("password", "a\r\nA1 LOGOUT"),
        ("password", "x" * 2000),
        ("username", "rita\x00"),
        ("display_name", "Rita\u202egnp.exe"),
        ("display_name", "x" * 400),
        ("imap_host", "imap.agency.test/../../etc"),
        ("smtp_host", "a b"),
        ("imap_port", "0"),
        ("imap_port", "65536"),
        ("smtp_port", "²"),
        ("smtp_port", "-1"),
        ("imap_tls", "starttls"),
        ("imap_tls", "none"),
        ("smtp_tls", "none"),
        ("smtp_tls", "<script>"),
    ],
)
async def test_bad_fields_are_named_and_nothing_is_tried(site: Site, visitor: Visitor, field: str, value: str) -> None:
    """Each fault stands at its field and in the summary that links to it."""
    page = await visitor.send(site.tickets.issue(), **{**FILLED, field: value})

    assert page.status == 422
    assert f'href="#{field}"' in page.text
    assert f'id="{field}-wrong"' in page.text
    assert "<script" not in page.text
    assert site.tickets.tried == []


async def test_a_mailbox_with_both_switches_off_is_no_mailbox(site: Site, visitor: Visitor) -> None:
    """Neither sending nor reading: the page asks for one of them."""
    page = await visitor.send(site.tickets.issue(), address="rita@agency.test", password="p")

    assert page.status == 422
    assert "Choose at least one" in page.text


async def test_what_was_typed_is_never_markup(site: Site, visitor: Visitor) -> None:
    """Every field comes back escaped."""
    hostile = '"><script>alert(1)</script>'
    names = ("address", "username", "display_name", "imap_host", "imap_port", "smtp_host", "smtp_port")

    page = await visitor.send(site.tickets.issue(), **{**FILLED, **dict.fromkeys(names, hostile)})

    assert page.status == 422
    assert "<script" not in page.text


async def test_a_reconnect_is_filled_in_and_bound_to_its_mailbox(site: Site, visitor: Visitor) -> None:
    """Known servers are proposed; another address sent along changes nothing."""
    mailbox = make_mailbox(imap_host="mail.agency.test", imap_port=1993, send=False)
    token = site.tickets.issue(mailbox=mailbox)
    page = await visitor.look(token)
    assert "Reconnect rita@agency.test" in page.text
    assert 'value="mail.agency.test"' in page.text
    assert 'value="1993"' in page.text
    assert 'name="address"' not in page.text

    await visitor.send(token, address="omar@agency.test", password="p", capture="1", imap_host="mail.agency.test")

    assert site.tickets.tried[0].address == "rita@agency.test"


class TestWherePrivateHostsAreAllowed:
    """A mail host of one's own on loopback, as in the sandbox."""

    @pytest.fixture
    def allow_plain(self) -> bool:
        return True

    async def test_the_servers_of_a_known_domain_are_proposed(self, site: Site, visitor: Visitor) -> None:
        """Address and password are enough there too."""
        imap, smtp = Endpoint("127.0.0.1", 10143, Tls.NONE), Endpoint("127.0.0.1", 10025, Tls.NONE)
        site.discovery.proposal = Proposal(imap, smtp, "agency.test publishes these servers.", certain=True)
        page = await visitor.send(site.tickets.issue(), **FILLED)

        assert page.status == 200
        assert site.tickets.tried[0].imap == Endpoint("127.0.0.1", 10143, Tls.NONE)
        assert site.tickets.tried[0].smtp == Endpoint("127.0.0.1", 10025, Tls.NONE)

    async def test_connections_without_tls_are_offered(self, site: Site, visitor: Visitor) -> None:
        """The choice stands on the page only here."""
        page = await visitor.look(by_password(site.tickets.issue()))

        assert page.text.count('<option value="none"') == 2


async def test_connections_without_tls_are_not_offered_elsewhere(site: Site, visitor: Visitor) -> None:
    """Nor taken: see the faults above."""
    page = await visitor.look(by_password(site.tickets.issue()))

    assert '<option value="none"' not in page.text


async def test_pages_hold_no_script_and_leak_nothing(site: Site, visitor: Visitor) -> None:
    """Headers of every kind of answer; the cookie is strict and out of reach of script."""
    token = site.tickets.issue()
    page = await visitor.look(by_password(token))
    for seen in (
        page,
        await visitor.look("gone"),
        await visitor.ask("GET", "/nothing"),
        await visitor.ask("GET", "/healthz"),
    ):
        policy = seen.headers["Content-Security-Policy"]
        assert "default-src 'none'" in policy
        assert "frame-ancestors 'none'" in policy
        assert "script-src" not in policy
        assert "unsafe" not in policy
        assert seen.headers["Referrer-Policy"] == "no-referrer"
        assert seen.headers["Cache-Control"] == "no-store"
        assert seen.headers["X-Content-Type-Options"] == "nosniff"
        assert "aiohttp" not in seen.headers["Server"]
    cookie = page.headers["Set-Cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=Strict" in cookie
    assert token not in cookie


async def test_too_large_a_form_is_refused(site: Site, visitor: Visitor) -> None:
    """More than a megabyte is not read to its end."""
    token = site.tickets.issue()

    page = await visitor.ask("POST", f"/connect/{token}", data={"address": "x" * 2_000_000})

    assert page.status == 413
    assert "That is too much" in page.text


async def test_what_is_no_form_is_refused(site: Site, visitor: Visitor) -> None:
    """Files and JSON have no business here."""
    token = site.tickets.issue()

    assert (await visitor.ask("POST", f"/connect/{token}", json={"address": "x"})).status == 415
    upload = aiohttp.FormData()
    upload.add_field("address", b"x", filename="x.bin")
    assert (await visitor.ask("POST", f"/connect/{token}", data=upload)).status == 415


async def test_floods_are_slowed_down_by_visitor(site: Site, visitor: Visitor) -> None:
    """Ten tries at once, then one in five seconds; who comes from elsewhere is not hurt."""
    token = site.tickets.issue()
    mark = csrf_of((await visitor.look(by_password(token))).text)
    flood = {"headers": {"X-Forwarded-For": "198.51.100.7"}, "data": {"csrf": mark, "address": "x"}}
    statuses = [(await visitor.ask("POST", f"/connect/{token}", **flood)).status for _ in range(11)]

    assert statuses == [422] * 10 + [429]
    other = {**flood, "headers": {"X-Forwarded-For": "198.51.100.8"}}
    assert (await visitor.ask("POST", f"/connect/{token}", **other)).status == 422
    site.clock.pass_time(seconds=5)
    assert (await visitor.ask("POST", f"/connect/{token}", **flood)).status == 422


async def test_a_surprise_becomes_a_page_with_a_reference(
    site: Site, visitor: Visitor, caplog: pytest.LogCaptureFixture
) -> None:
    """The log knows the same reference, and neither token nor password."""
    token = site.tickets.issue()
    site.tickets.refusal = ZeroDivisionError("nobody expected this")
    with caplog.at_level(logging.DEBUG):
        page = await visitor.send(token, **FILLED)

    assert page.status == 500
    reference = page.text.partition("<code>r-")[2][:6]
    assert f"reference=r-{reference}" in caplog.text
    assert "nobody expected this" not in page.text
    ours = "\n".join(record.getMessage() for record in caplog.records if record.name.startswith("rethread"))
    assert token not in ours
    assert FILLED["password"] not in caplog.text


async def test_a_mailbox_that_only_sends_is_told_so(site: Site, visitor: Visitor) -> None:
    """Nobody waits for replies that are not read."""
    fields = {name: value for name, value in FILLED.items() if name != "capture"}

    page = await visitor.send(site.tickets.issue(), **fields)

    assert "does not read it" in page.text


async def test_a_link_for_a_mailbox_that_only_sends_keeps_its_switches(site: Site, visitor: Visitor) -> None:
    """The switches stand as the mailbox has them."""
    mailbox = replace(make_mailbox(), capture=False)

    page = await visitor.look(site.tickets.issue(mailbox=mailbox))

    assert 'id="send" name="send" type="checkbox" value="1" checked' in page.text
    assert 'id="capture" name="capture" type="checkbox" value="1" checked' not in page.text


async def test_a_mailbox_without_a_free_seat_is_told_that_it_waits(site: Site, visitor: Visitor) -> None:
    """How many are in use, and what to do; nobody waits for mail that is not being read (R35, R214)."""
    site.tickets.status, site.seats.count = MailboxStatus.PENDING, SeatCount(3, 3, waiting=2)

    page = await visitor.send(site.tickets.issue(), **FILLED)

    assert "rita@agency.test is connected" in page.text
    assert "waits for a seat: 3 of 3 seats are in use" in page.text
    assert "/mailbox disconnect" in page.text
    assert "mailbox_limit" in page.text
    assert "reading your mail now" not in " ".join(page.text.split())


async def test_a_mailbox_with_a_seat_is_read_now(site: Site, visitor: Visitor) -> None:
    page = await visitor.send(site.tickets.issue(), **FILLED)

    assert "reading your mail now" in " ".join(page.text.split())
    assert "seat" not in page.text
