"""Sending from a mailbox that signs in: a token refused before its time is renewed once, and nothing goes twice."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from email import message_from_bytes
from email.utils import parseaddr

import pytest

from core.errors import LoginRefusedError, ServerRefusedError, UnreachableError
from core.ports.mail import Credentials, Endpoint, SendReceipt
from core.services.cards import CardWriter
from core.services.credentials import CredentialService
from core.services.progress import Progress
from core.services.signatures import SignatureService
from core.services.submission import Submission
from tests.fakes.mail import FakeProvider, FakeTransport
from tests.fakes.sign_in import FakeSignIn
from tests.services.rig import ADA, FILE, RITA, Rig, make_outreach


@dataclass
class TokenServer(FakeProvider):
    """A submission server that opens to one access token."""

    token: str = "access-1"

    def check(self, credentials: Credentials) -> None:
        if credentials.access_token != self.token:
            self.refused += 1
            raise LoginRefusedError("535 5.7.8 Username and Password not accepted", layer="smtp", smtp_code=535)


@dataclass
class Sending:
    """Rita's campaign, due, from a mailbox that signs in; the token at hand is access-0."""

    rig: Rig
    server: TokenServer
    sign_in: FakeSignIn

    async def send(self) -> None:
        await self.rig.send_due()


@pytest.fixture
async def sending(rig: Rig) -> Sending:
    await rig.open()
    server, sign_in = TokenServer(rig.clock.now), FakeSignIn(rig.clock.now)
    mailbox = await rig.mailboxes.find(ADA, "rita@agency.test")
    async with rig.store.write("T1") as uow:
        await uow.mailboxes.save(replace(mailbox, sign_in="google"))
        ends = rig.clock.now() + timedelta(hours=1)
        await uow.mailboxes.put_credentials(mailbox.id, Credentials(mailbox.username, "", "access-0", "refresh", ends))
    submission = Submission(FakeTransport(server), CredentialService(rig.tools, {"google": sign_in}))
    progress = Progress(rig.tools, CardWriter(rig.tools))
    rig.outreach = make_outreach(rig.tools, submission, progress)
    await rig.launch()
    return Sending(rig, server, sign_in)


async def test_a_refused_token_is_replaced_once_and_the_mail_goes(sending: Sending) -> None:
    """The person notices nothing."""
    await sending.send()
    assert await sending.rig.states() == ["1.1 sent", "2.1 queued"]
    assert (len(sending.server.accepted), sending.server.refused) == (1, 1)


async def test_a_fresh_token_that_is_refused_too_is_the_verdict(sending: Sending) -> None:
    """No third try: it would only lock the account."""
    sending.server.token = "another"
    await sending.send()
    assert await sending.rig.shows() == "Not Delivered 1 email_not_synced"
    assert (sending.server.refused, len(sending.sign_in.refreshed)) == (2, 1)


async def test_a_password_that_is_refused_is_not_tried_again(rig: Rig) -> None:
    await rig.open()
    await rig.launch()
    rig.provider.password = "changed"
    await rig.send_due()
    assert await rig.shows() == "Not Delivered 1 email_not_synced"
    assert rig.provider.refused == 1


@pytest.mark.parametrize(
    "trouble",
    [
        UnreachableError("[Errno 111] Connection refused", layer="socket"),
        ServerRefusedError("HTTP 503 Service Unavailable", layer="oauth"),
    ],
)
@pytest.mark.parametrize("minutes", [0, 58])
async def test_mail_waits_while_the_sign_in_service_is_away(
    sending: Sending, trouble: UnreachableError | ServerRefusedError, minutes: int
) -> None:
    """Before the server was asked, or after it refused the old token: nothing was handed over, so it goes later."""
    sending.rig.clock.pass_time(minutes=minutes)
    sending.sign_in.trouble = trouble
    await sending.send()
    assert await sending.rig.states() == ["1.1 queued"]
    sending.sign_in.trouble, sending.server.token = None, f"access-{len(sending.sign_in.refreshed) + 1}"
    sending.rig.clock.pass_time(minutes=1)
    await sending.send()
    assert await sending.rig.states() == ["1.1 sent", "2.1 queued"]
    assert len(sending.server.accepted) == 1


async def test_access_that_was_withdrawn_fails_the_stage_with_the_services_words(sending: Sending) -> None:
    """For the card, and for Retry all once it is mended."""
    sending.sign_in.trouble = LoginRefusedError('{"error": "invalid_grant"}', layer="oauth")
    await sending.send()
    assert await sending.rig.shows() == "Not Delivered 1 email_not_synced"
    assert "invalid_grant" in str((await sending.rig.deliveries())[0].server_text)


class Envelopes(FakeTransport):
    """Notes whom the server was told as the sender."""

    def __init__(self, provider: FakeProvider) -> None:
        super().__init__(provider)
        self.senders: list[str] = []

    async def send(
        self, endpoint: Endpoint, credentials: Credentials, *, sender: str, recipients: Sequence[str], raw: bytes
    ) -> SendReceipt:
        self.senders.append(sender)
        return await super().send(endpoint, credentials, sender=sender, recipients=recipients, raw=raw)


async def test_a_campaign_from_an_alias_goes_out_from_its_mailbox_signed(rig: Rig) -> None:
    """R171: the alias stands in From, the mailbox in the envelope, its signature under text and HTML. A stage may name
    another alias, or the mailbox itself."""
    await rig.open()
    signatures, mailbox = SignatureService(rig.tools), await rig.mailboxes.find(ADA, "rita@agency.test")
    await signatures.set_aliases(RITA, mailbox.id, ["jobs@agency.test", "Talent@agency.test"])
    await signatures.set_signature(RITA, mailbox.id, "Rita Reed\nAgency", "<p><b>Rita Reed</b>, Agency</p>")
    transport = Envelopes(rig.provider)
    submission = Submission(transport, CredentialService(rig.tools, {}))
    rig.outreach = make_outreach(rig.tools, submission, Progress(rig.tools, CardWriter(rig.tools)))
    own = "  - delay: 1h\n    from: talent@agency.test\n    subject: Another\n    body: Again\n"
    await rig.launch(file=FILE.replace("rita@agency.test", "jobs@agency.test") + own)
    await rig.send_due()
    for _ in range(3):
        await rig.follow_up()
    mails = [message_from_bytes(raw) for raw in rig.provider.accepted]
    assert [parseaddr(str(mail["From"]))[1] for mail in mails] == ["jobs@agency.test"] * 3 + ["Talent@agency.test"]
    assert transport.senders == ["rita@agency.test"] * 4
    for mail in mails:
        text, page = (part.get_payload(decode=True) for part in mail.walk() if not part.is_multipart())
        assert text.rstrip().endswith(b"Rita Reed\r\nAgency")
        assert b"<b>Rita Reed</b>, Agency</p>" in page
