"""Submission: who may send, where accepted mail goes, and the ways a recipient can refuse it."""

import asyncio
from base64 import b64encode
from collections.abc import Awaitable, Callable
from email import message_from_bytes
from typing import cast

import aiosmtplib
import pytest
from aioimaplib import aioimaplib

from sandbox.mail import MailHost
from sandbox.mail.compose import compose

RITA = "rita@agency.test"
MAYA = "maya.lind@candidates.example"

SmtpLogin = Callable[..., Awaitable[aiosmtplib.SMTP]]
ImapLogin = Callable[..., Awaitable[aioimaplib.IMAP4]]


def letter(subject: str = "A role", to: str = MAYA) -> bytes:
    headers = {"Message-ID": f"<{subject.replace(' ', '.')}@agency.test>"}
    return compose(RITA, [to], subject, "Would you like to talk?", name="Rita Reed", headers=headers)


@pytest.mark.parametrize("security", ["plain", "tls", "starttls"])
async def test_mail_arrives_with_its_message_id_over_each_kind_of_port(
    mail_host: MailHost, smtp_login: SmtpLogin, security: str
) -> None:
    """The recipient has it at once, the sender has it in Sent, the record names it."""
    client = await smtp_login(security=security)
    sent = letter()
    await client.sendmail(RITA, [MAYA], sent)

    [arrived] = mail_host.messages(MAYA)
    [filed] = mail_host.messages(RITA, "Sent")
    assert arrived.message_id == filed.message_id == "<A.role@agency.test>"
    assert filed.seen
    assert not arrived.seen
    assert filed.raw == sent
    assert arrived.raw.endswith(sent)
    taken = await mail_host.wait_accepted(lambda one: one.subject == "A role")
    assert (taken.mail_from, taken.rcpts, taken.answered) == (RITA, (MAYA,), True)


async def test_mail_to_an_alias_lies_in_the_owner_s_inbox(mail_host: MailHost, smtp_login: SmtpLogin) -> None:
    """A candidate has one mailbox behind two addresses."""
    client = await smtp_login()
    await client.sendmail(RITA, ["maya@lindstudio.example"], letter())
    assert [mail.subject for mail in mail_host.messages(MAYA)] == ["A role"]


async def test_nothing_is_filed_into_sent_when_the_switch_is_off(mail_host: MailHost, smtp_login: SmtpLogin) -> None:
    """Hosts other than Gmail and Microsoft leave filing to the client."""
    await mail_host.switch(RITA, "files_sent", False)
    client = await smtp_login()
    await client.sendmail(RITA, [MAYA], letter())
    assert mail_host.messages(RITA, "Sent") == []
    assert len(mail_host.messages(MAYA)) == 1


async def test_a_wrong_password_is_refused_in_the_provider_s_words(smtp_login: SmtpLogin) -> None:
    """535 5.7.8, the text that a person must be shown."""
    with pytest.raises(aiosmtplib.SMTPAuthenticationError) as refused:
        await smtp_login(password="wrong")
    assert (refused.value.code, refused.value.message) == (535, "5.7.8 Username and Password not accepted.")


async def test_nobody_sends_without_signing_in(mail_host: MailHost) -> None:
    """MAIL before AUTH is refused with 530."""
    name, _, port = mail_host.smtp_address.rpartition(":")
    async with aiosmtplib.SMTP(hostname=name, port=int(port), start_tls=False) as client:
        with pytest.raises(aiosmtplib.SMTPSenderRefused) as refused:
            await client.sendmail(RITA, [MAYA], letter())
    assert refused.value.code == 530


async def test_nobody_sends_as_somebody_else(mail_host: MailHost, smtp_login: SmtpLogin) -> None:
    """Only the account's own addresses may stand in MAIL FROM."""
    client = await smtp_login()
    with pytest.raises(aiosmtplib.SMTPSenderRefused) as refused:
        await client.sendmail("omar@agency.test", [MAYA], letter())
    assert refused.value.code == 550
    assert "5.7.60" in refused.value.message
    await client.sendmail("rita.reed@agency.test", [MAYA], letter())
    assert [one.mail_from for one in mail_host.accepted] == ["rita.reed@agency.test"]


async def test_sending_turned_off_closes_the_connection_with_421(mail_host: MailHost, smtp_login: SmtpLogin) -> None:
    """A live session ends, and signing in anew is answered with 421 and the end of the connection."""
    live = await smtp_login()
    await mail_host.switch(RITA, "smtp_off", True)
    with pytest.raises(aiosmtplib.SMTPException):
        await live.sendmail(RITA, [MAYA], letter())
    name, _, port = mail_host.smtp_address.rpartition(":")
    async with aiosmtplib.SMTP(hostname=name, port=int(port), start_tls=False) as client:
        await client.ehlo()
        with pytest.raises(aiosmtplib.SMTPAuthenticationError) as refused:
            await client.auth_plain(RITA, "rita-mail-pass")
    assert (refused.value.code, refused.value.message[:5]) == (421, "4.3.2")
    assert mail_host.accepted == []


@pytest.mark.parametrize(
    ("recipient", "kind", "status"),
    [
        (MAYA, "bounce", "5.1.1"),
        (MAYA, "full", "5.2.2"),
        ("nobody@candidates.example", "none", "5.1.1"),
        ("somebody@unheard-of.example", "none", "5.1.2"),
    ],
)
async def test_undeliverable_mail_comes_back_as_a_delivery_status_notification(
    mail_host: MailHost, smtp_login: SmtpLogin, recipient: str, kind: str, status: str
) -> None:
    """Accepted first, then a report by RFC 3464 with the original's headers."""
    mail_host.refuse(recipient, kind)
    client = await smtp_login()
    await client.sendmail(RITA, [recipient], letter(to=recipient))

    bounce = await mail_host.wait_inbox(RITA)
    report = message_from_bytes(bounce.raw)
    assert report.get_content_type() == "multipart/report"
    assert report.get_param("report-type") == "delivery-status"
    assert report["Return-Path"] == "<>"
    *_, per_recipient, original = report.walk()
    assert per_recipient["Final-Recipient"] == f"rfc822; {recipient}"
    assert (per_recipient["Action"], per_recipient["Status"]) == ("failed", status)
    assert original.get_content_type() == "text/rfc822-headers"
    assert "Message-ID: <A.role@agency.test>" in str(original.get_payload())
    assert mail_host.messages(MAYA) == []


@pytest.mark.parametrize(("kind", "code"), [("reject", 550), ("defer", 451)])
async def test_a_recipient_can_be_refused_at_rcpt(
    mail_host: MailHost, smtp_login: SmtpLogin, kind: str, code: int
) -> None:
    """Refused for good or for now; nothing is taken, filed or delivered."""
    await mail_host.switch(MAYA, "refuse", kind)
    client = await smtp_login()
    with pytest.raises(aiosmtplib.SMTPRecipientsRefused) as refused:
        await client.sendmail(RITA, [MAYA], letter())
    assert refused.value.recipients[0].code == code
    assert mail_host.accepted == []
    assert mail_host.messages(RITA, "Sent") == []
    assert [(one.stage, one.rcpt) for one in mail_host.rejected] == [("rcpt", MAYA)]


async def test_a_mail_can_be_refused_as_spam_after_data(mail_host: MailHost, smtp_login: SmtpLogin) -> None:
    """554 5.7.1 on the whole transaction."""
    await mail_host.switch(MAYA, "refuse", "spam")
    client = await smtp_login()
    with pytest.raises(aiosmtplib.SMTPDataError) as refused:
        await client.sendmail(RITA, [MAYA], letter())
    assert refused.value.code == 554
    assert "likely unsolicited mail" in refused.value.message
    assert mail_host.messages(MAYA) == []


async def test_a_test_can_put_in_any_reply_for_a_number_of_times(mail_host: MailHost, smtp_login: SmtpLogin) -> None:
    """A sender over its daily limit, once; then the host behaves again."""
    mail_host.script("mail", RITA, "550 5.4.5 Daily user sending limit exceeded")
    mail_host.script("data", MAYA, "452 4.3.1 Insufficient system storage", times=2)
    client = await smtp_login()
    with pytest.raises(aiosmtplib.SMTPSenderRefused):
        await client.sendmail(RITA, [MAYA], letter())
    for _ in range(2):
        with pytest.raises(aiosmtplib.SMTPDataError) as refused:
            await client.sendmail(RITA, [MAYA], letter())
        assert refused.value.code == 452
    await client.sendmail(RITA, [MAYA], letter())
    assert len(mail_host.messages(MAYA)) == 1


@pytest.mark.parametrize("security", ["plain", "tls", "starttls"])
@pytest.mark.parametrize(("kind", "arrives"), [("drop", 1), ("drop_before", 0)])
async def test_the_connection_can_be_cut_after_the_dot(
    mail_host: MailHost, smtp_login: SmtpLogin, kind: str, arrives: int, security: str
) -> None:
    """The client hears nothing either way; whether the mail is out only Sent tells."""
    await mail_host.switch(MAYA, "refuse", kind)
    client = await smtp_login(security=security)
    with pytest.raises(aiosmtplib.SMTPServerDisconnected):
        await client.sendmail(RITA, [MAYA], letter())
    assert len(mail_host.messages(MAYA)) == arrives
    assert len(mail_host.messages(RITA, "Sent")) == arrives
    assert [one.answered for one in mail_host.accepted] == [False] * arrives


async def test_a_client_that_dies_after_the_dot_does_not_lose_the_mail(
    mail_host: MailHost, smtp_login: SmtpLogin
) -> None:
    """The host has taken the mail: it files and delivers it though nobody hears the 250."""
    client = await smtp_login()
    await client.mail(RITA)
    await client.rcpt(MAYA)
    await client.execute_command(b"DATA")
    transport = cast(asyncio.WriteTransport, client.transport)
    transport.write(letter() + b"\r\n.\r\n")
    transport.close()
    await mail_host.wait_inbox(MAYA)
    assert len(mail_host.messages(RITA, "Sent")) == 1


async def test_a_catch_all_domain_takes_and_counts_any_address(mail_host: MailHost, smtp_login: SmtpLogin) -> None:
    """Load tests need hundreds of prospects and no mailboxes for them."""
    client = await smtp_login()
    people = [f"person{number}@many.example" for number in range(20)]
    for person in people:
        await client.sendmail(RITA, [person], letter(to=person))
    assert mail_host.directory.catch_all_counts == dict.fromkeys(people, 1)
    assert mail_host.messages(RITA) == []

    mail_host.refuse(people[0], "reject")
    with pytest.raises(aiosmtplib.SMTPRecipientsRefused):
        await client.sendmail(RITA, [people[0]], letter())
    await mail_host.reply(people[1], mail_host.accepted[1], "Yes, please.")
    answer = await mail_host.wait_inbox(RITA)
    assert (answer.sender, answer.subject) == (people[1], "Re: A role")


async def test_pipelined_commands_are_answered_in_order(mail_host: MailHost) -> None:
    """PIPELINING (RFC 2920) is offered and works, up to the mail itself."""
    reader, writer = await asyncio.open_connection(*mail_host.smtp_address.split(":"))
    token = b64encode(f"\0{RITA}\0rita-mail-pass".encode()).decode()
    commands = ["EHLO test", f"AUTH PLAIN {token}", f"MAIL FROM:<{RITA}>", f"RCPT TO:<{MAYA}>", "DATA"]
    writer.write("".join(f"{line}\r\n" for line in commands).encode())
    writer.write(letter() + b"\r\n.\r\nQUIT\r\n")
    async with asyncio.timeout(30):
        replies = (await reader.read()).decode().splitlines()
    assert "250-PIPELINING" in replies
    assert [line[:3] for line in replies if line[3] == " "] == "220 250 235 250 250 354 250 221".split()
    assert len(mail_host.messages(MAYA)) == 1
    writer.close()
