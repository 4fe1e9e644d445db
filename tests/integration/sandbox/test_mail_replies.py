"""A candidate answering: threads, out-of-office texts, and hostile mail in a mailbox."""

from collections.abc import Awaitable, Callable
from datetime import timedelta

import aiosmtplib
import pytest

from sandbox.mail import MailHost
from sandbox.mail.compose import compose
from sandbox.mail.message import ReadableMail

RITA = "rita@agency.test"
MAYA = "maya.lind@candidates.example"

SmtpLogin = Callable[..., Awaitable[aiosmtplib.SMTP]]


def letter(**headers: str) -> bytes:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return compose(RITA, [MAYA], "A rôle for you", "Would you\nlike to talk?", name="Rita Reed", headers=named)


async def test_an_answer_carries_the_thread_and_quotes_the_letter(mail_host: MailHost, smtp_login: SmtpLogin) -> None:
    """In-Reply-To, References, Re: and the quoted text, from the candidate's name."""
    client = await smtp_login()
    await client.sendmail(RITA, [MAYA], letter(Message_ID="<two@agency.test>", References="<one@agency.test>"))
    received = await mail_host.wait_inbox(MAYA)
    message_id = await mail_host.reply(MAYA, received, "Yes, tomorrow at ten – fine?")

    answer = await mail_host.wait_inbox(RITA, lambda mail: mail.message_id == message_id)
    assert answer.in_reply_to == "<two@agency.test>"
    assert answer.references == ["<one@agency.test>", "<two@agency.test>"]
    assert answer.subject == "Re: A rôle for you"
    assert answer.header("From") == f"Maya Lind <{MAYA}>"
    assert answer.text.startswith("Yes, tomorrow at ten – fine?\n\nOn ")
    assert "> Would you\n> like to talk?" in answer.text
    assert answer.date is not None
    assert answer.date.utcoffset() == timedelta(0)
    assert [mail.message_id for mail in mail_host.messages(MAYA, "Sent")] == [message_id]
    assert len(mail_host.accepted) == 1


async def test_a_person_can_answer_from_another_address_and_without_the_thread(mail_host: MailHost) -> None:
    """What exact matching cannot know must be possible to act out."""
    await mail_host.reply(
        MAYA,
        letter(Message_ID="<one@agency.test>"),
        "From my phone",
        from_="maya@elsewhere.example",
        headers={"In-Reply-To": "", "References": ""},
    )
    answer = await mail_host.wait_inbox(RITA)
    assert answer.sender == "maya@elsewhere.example"
    assert answer.in_reply_to == ""


async def test_a_long_message_id_is_neither_folded_nor_encoded(mail_host: MailHost) -> None:
    """Threading breaks where In-Reply-To is not the very Message-ID."""
    long_id = f"<{'x' * 180}@agency.test>"
    await mail_host.reply(MAYA, letter(Message_ID=long_id), "Yes")
    answer = await mail_host.wait_inbox(RITA)
    assert answer.in_reply_to == long_id
    assert long_id.encode() in answer.raw


async def test_out_of_office_answers_each_sender_once(mail_host: MailHost, smtp_login: SmtpLogin) -> None:
    """Marked as automatic (RFC 3834), in the thread; a new text answers afresh."""
    await mail_host.switch(MAYA, "ooo", "I am away until the 14th.")
    client = await smtp_login()
    for _ in range(2):
        await client.sendmail(RITA, [MAYA], letter(Message_ID="<one@agency.test>"))
    [answer] = mail_host.messages(RITA)
    assert answer.header("Auto-Submitted") == "auto-replied"
    assert answer.in_reply_to == "<one@agency.test>"
    assert answer.subject == "Automatic reply: A rôle for you"
    assert "away until the 14th" in answer.text

    await mail_host.switch(MAYA, "ooo", "Back soon.")
    await client.sendmail(RITA, [MAYA], letter())
    assert len(mail_host.messages(RITA)) == 2
    assert len(mail_host.messages(MAYA)) == 3


@pytest.mark.parametrize(
    "headers", [{"Auto_Submitted": "auto-generated"}, {"Precedence": "bulk"}, {"List_Id": "<jobs.agency.test>"}]
)
async def test_out_of_office_never_answers_machines(mail_host: MailHost, headers: dict[str, str]) -> None:
    """Two automatic answers would else go on for ever."""
    await mail_host.switch(MAYA, "ooo", "Away.")
    await mail_host.send(RITA, (MAYA,), letter(**headers))
    assert mail_host.messages(RITA) == []


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"\r\n\r\n",
        b"Subject: =?no-such-charset?q?x?=\r\nDate: never\r\n\r\n\xff\xfe",
        b"From: \xff\xfe <a@b.example>\r\nContent-Type: text/plain; charset=nonsense\r\n\r\nbody",
        b"From: =?u\xfftf-8?b?//8=?= <a@b.example>\r\nContent-Type: text/plain; charset=a\x00b\r\n\r\nbody",
        b"Content-Type: text/plain; charset=idna\r\n\r\n\xff",
        b"Content-Type: multipart/mixed\r\n\r\nno boundary",
        b"Content-Type: text/html\r\n\r\n<style>x</style><p>Hello <b>you</b></p>",
        b"Subject: a\r\n b\r\nReferences: <<>> not <one@x.example>\r\nMessage-ID: none\r\n\r\nx",
    ],
)
async def test_hostile_mail_can_be_stored_and_read(mail_host: MailHost, raw: bytes) -> None:
    """No bytes stop a delivery or the page; what can be read is shown."""
    mail = await mail_host.deliver(raw, RITA)
    assert mail.raw == raw
    for text in (mail.subject, mail.text, mail.sender, mail.message_id):
        assert "\r" not in text
    assert mail_host.find_message(RITA, mail.uid) is not None


def test_html_is_shown_as_text() -> None:
    """Tags and styles go, line breaks and entities are kept."""
    mail = ReadableMail(b"Content-Type: text/html\r\n\r\n<style>x</style><p>Tom &amp; Co</p><p>Bye<br>T</p>")
    assert mail.text == "Tom & Co\nBye\nT"
