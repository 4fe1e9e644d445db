"""The IMAP side as a sync engine meets it: push, search, special uses, and what can break."""

import asyncio
import re
from collections.abc import Awaitable, Callable

import aiosmtplib
import pytest
from aioimaplib import aioimaplib

from sandbox.mail import AccountSeed, MailHost
from sandbox.mail.compose import compose

RITA = "rita@agency.test"
MAYA = "maya.lind@candidates.example"

ImapLogin = Callable[..., Awaitable[aioimaplib.IMAP4]]
SmtpLogin = Callable[..., Awaitable[aiosmtplib.SMTP]]


def letter(number: int = 1) -> bytes:
    headers = {"Message-ID": f"<{number}@candidates.example>"}
    return compose(MAYA, [RITA], f"Letter {number}", "Hello", headers=headers)


async def closed(client: aioimaplib.IMAP4) -> None:
    """Returns once the server has closed this connection."""
    lost = asyncio.Event()
    client.protocol.conn_lost_cb = lambda _error: lost.set()
    if client.protocol.transport.is_closing():
        return
    async with asyncio.timeout(30):
        await lost.wait()


async def test_new_mail_is_pushed_to_a_client_in_idle(mail_host: MailHost, imap_login: ImapLogin) -> None:
    """EXISTS comes by itself."""
    client = await imap_login(RITA)
    idle = await client.idle_start()
    await mail_host.wait_idle(RITA)
    await mail_host.deliver(letter(), RITA)
    async with asyncio.timeout(30):
        assert b"1 EXISTS" in await client.wait_server_push()
    client.idle_done()
    await idle


async def test_mail_sent_by_smtp_is_pushed_too(
    mail_host: MailHost, imap_login: ImapLogin, smtp_login: SmtpLogin
) -> None:
    """The whole way from one account's submission to the other's IDLE."""
    client = await imap_login(RITA)
    idle = await client.idle_start()
    await mail_host.wait_idle(RITA)
    sender = await smtp_login("omar@agency.test")
    await sender.sendmail("omar@agency.test", [RITA], letter())
    async with asyncio.timeout(30):
        assert b"1 EXISTS" in await client.wait_server_push()
    client.idle_done()
    await idle


async def test_mail_that_came_between_two_commands_is_told_when_idle_begins(
    mail_host: MailHost, imap_login: ImapLogin
) -> None:
    """Otherwise it would lie untold until the next one."""
    client = await imap_login(RITA)
    await mail_host.deliver(letter(), RITA)
    await client.idle_start()
    async with asyncio.timeout(30):
        assert b"1 EXISTS" in await client.wait_server_push()
    client.idle_done()


async def test_no_mail_of_a_burst_stays_untold(mail_host: MailHost, imap_login: ImapLogin) -> None:
    """A hundred at once: the last count told is a hundred."""
    client = await imap_login(RITA)
    await client.idle_start()
    await mail_host.wait_idle(RITA)
    await asyncio.gather(*(mail_host.deliver(letter(number), RITA) for number in range(100)))
    async with asyncio.timeout(30):
        while b"100 EXISTS" not in await client.wait_server_push():
            pass
    client.idle_done()


async def test_list_names_the_special_uses(imap_login: ImapLogin) -> None:
    """Sent, Junk, Drafts and Trash carry their flags (RFC 6154), asked for or not."""
    client = await imap_login(RITA)
    for pattern in ("*", "* RETURN (SPECIAL-USE)"):
        listed = b"\n".join((await client.list('""', pattern)).lines).decode()
        for name in ("Sent", "Junk", "Drafts", "Trash"):
            assert re.search(rf"\([^)]*\\{name}\) \"/\" {name}$", listed, re.MULTILINE)
        assert re.search(r"^\(\\HasNoChildren\) \"/\" INBOX$", listed, re.MULTILINE)


async def test_append_gives_the_uid_and_search_finds_it_by_message_id(
    mail_host: MailHost, imap_login: ImapLogin
) -> None:
    """APPENDUID (RFC 4315) and UID SEARCH HEADER are how a copy in Sent is filed and found."""
    client = await imap_login(RITA, "Sent")
    answer = await client.append(letter(7), "Sent", r"\Seen")
    validity, uid = re.search(rb"APPENDUID (\d+) (\d+)", answer.lines[-1]).groups()  # type: ignore[union-attr]
    await mail_host.deliver(letter(8), RITA, "Sent")
    await client.noop()
    found = await client.uid_search("HEADER", "Message-ID", "<7@candidates.example>")
    assert found.lines[0] == uid
    assert int(validity) == mail_host.folder(RITA, "Sent").uid_validity
    assert mail_host.messages(RITA, "Sent")[0].seen


async def test_the_tls_port_is_trusted_by_the_given_authority(imap_connect: ImapLogin) -> None:
    """A client that checks certificates gets in with the CA file alone."""
    client = await imap_connect(tls=True)
    assert (await client.login(RITA, "rita-mail-pass")).result == "OK"


@pytest.mark.parametrize(
    ("switch", "words"),
    [
        (None, "[AUTHENTICATIONFAILED] Invalid credentials (Failure)"),
        ("throttled", "[LIMIT] Too many simultaneous connections"),
    ],
)
async def test_a_refused_login_carries_the_provider_s_words(
    mail_host: MailHost, imap_connect: ImapLogin, switch: str | None, words: str
) -> None:
    """Response code and text reach the client as Gmail and Yahoo write them."""
    if switch:
        await mail_host.switch(RITA, switch, True)
    client = await imap_connect()
    answer = await client.login(RITA, "not-the-password")
    assert (answer.result, answer.lines[-1].decode()) == ("NO", words)
    assert [attempt.refused for attempt in mail_host.logins] == [f"NO {words}"]


async def test_an_account_with_imap_off_is_told_so(mail_host: MailHost, imap_login: ImapLogin) -> None:
    """Live sessions end, and the right password gets the provider's ALERT."""
    live = await imap_login(RITA)
    await mail_host.switch(RITA, "imap_off", True)
    await closed(live)
    with pytest.raises(AssertionError):
        await imap_login(RITA)
    assert "[ALERT] Your account is not enabled for IMAP use." in mail_host.logins[-1].refused


async def test_changing_the_password_signs_everybody_out(
    mail_host: MailHost, imap_login: ImapLogin, imap_connect: ImapLogin
) -> None:
    """The idle session ends, the old password fails, the new one works; mending brings the old back."""
    client = await imap_login(RITA)
    await client.idle_start()
    await mail_host.wait_idle(RITA)
    await mail_host.switch(RITA, "password", "new-secret")
    await closed(client)

    assert (await (await imap_connect()).login(RITA, "rita-mail-pass")).result == "NO"
    assert (await (await imap_connect()).login(RITA, "new-secret")).result == "OK"
    mail_host.mend(RITA)
    assert (await (await imap_connect()).login(RITA, "rita-mail-pass")).result == "OK"


async def test_changing_the_password_ends_live_submission_sessions(mail_host: MailHost, smtp_login: SmtpLogin) -> None:
    """A pooled SMTP connection does not outlive the password it was opened with."""
    client = await smtp_login()
    await mail_host.switch(RITA, "password", "new-secret")
    with pytest.raises(aiosmtplib.SMTPException):
        await client.sendmail(RITA, [MAYA], letter())
    assert mail_host.accepted == []


async def test_a_mailbox_opened_while_the_host_runs_works_at_once(
    mail_host: MailHost, imap_login: ImapLogin, smtp_login: SmtpLogin
) -> None:
    """Folders, IMAP, submission; and no two accounts share an address."""
    mail_host.add_account(AccountSeed("Nina@Agency.test", "Nina Nyberg", "recruiter", "nina-pass"))
    client = await smtp_login("nina@agency.test")
    await client.sendmail("nina@agency.test", ["nina@agency.test"], letter())
    assert (await (await imap_login("nina@agency.test", "Sent")).noop()).result == "OK"
    assert len(mail_host.messages("nina@agency.test")) == 1
    with pytest.raises(ValueError, match="taken"):
        mail_host.add_account(AccountSeed("new@agency.test", "", "recruiter", "x", ("rita@agency.test",)))


async def test_dropped_connections_are_reset(mail_host: MailHost, imap_login: ImapLogin) -> None:
    """Only this account's connections, and a new one works at once."""
    rita, omar = await imap_login(RITA), await imap_login("omar@agency.test")
    await mail_host.switch(RITA, "drop")
    await closed(rita)
    await mail_host.wait_until(lambda: mail_host.connection_count(RITA) == 0)
    assert (await omar.noop()).result == "OK"
    assert (await (await imap_login(RITA)).noop()).result == "OK"


async def test_a_silent_account_neither_answers_nor_pushes_until_it_is_mended(
    mail_host: MailHost, imap_login: ImapLogin, imap_connect: ImapLogin
) -> None:
    """The connection stays open; a new login hangs; mending lets everything through."""
    idle, busy, fresh = await imap_login(RITA), await imap_login(RITA), await imap_connect()
    await idle.idle_start()
    await mail_host.wait_idle(RITA)
    await mail_host.switch(RITA, "silent", True)
    await mail_host.deliver(letter(), RITA)
    pushed = asyncio.create_task(idle.wait_server_push(timeout=30))
    answered = asyncio.create_task(busy.noop())
    signed_in = asyncio.create_task(fresh.login(RITA, "rita-mail-pass"))
    waiting = {pushed, answered, signed_in}

    done, _ = await asyncio.wait(waiting, timeout=0.3)
    assert done == set()
    assert mail_host.connection_count(RITA) == 3

    mail_host.mend(RITA)
    async with asyncio.timeout(30):
        assert b"1 EXISTS" in await pushed
        assert (await answered).result == "OK"
        assert (await signed_in).result == "OK"


async def test_connections_of_a_silent_account_can_still_be_dropped(mail_host: MailHost, imap_login: ImapLogin) -> None:
    """Nothing is said, and nothing is left waiting for the silence to end."""
    client = await imap_login(RITA)
    await client.idle_start()
    await mail_host.wait_idle(RITA)
    await mail_host.switch(RITA, "silent", True)
    await mail_host.deliver(letter(), RITA)
    await mail_host.switch(RITA, "drop")
    await closed(client)
    await mail_host.wait_until(lambda: mail_host.connection_count(RITA) == 0)


async def test_a_silent_account_gets_no_answer_from_submission_either(
    mail_host: MailHost, smtp_login: SmtpLogin
) -> None:
    """The mail was taken, and the client waits for the 250 that does not come."""
    client = await smtp_login()
    await mail_host.switch(RITA, "silent", True)
    sending = asyncio.create_task(client.sendmail(RITA, [MAYA], letter()))
    done, _ = await asyncio.wait({sending}, timeout=0.3)
    assert done == set()
    mail_host.mend(RITA)
    await sending
    assert len(mail_host.messages(MAYA)) == 1


async def test_uidvalidity_changes_and_every_mail_is_renumbered(mail_host: MailHost, imap_login: ImapLogin) -> None:
    """Same mails, other numbers; the session that had the folder open is gone."""
    for number in range(3):
        await mail_host.deliver(letter(number), RITA)
    client = await imap_login(RITA)
    before = mail_host.folder(RITA).uid_validity
    after = await mail_host.change_uidvalidity(RITA)
    await closed(client)

    selected = await (await imap_login(RITA)).select("INBOX")
    assert f"[UIDVALIDITY {after}]".encode() in b" ".join(selected.lines)
    assert after > before
    assert [(mail.uid, mail.subject) for mail in mail_host.messages(RITA)] == [
        (1, "Letter 0"),
        (2, "Letter 1"),
        (3, "Letter 2"),
    ]


async def test_closing_the_host_leaves_no_task_behind() -> None:
    """Idle, silent and half-open connections all end with it."""
    before = asyncio.all_tasks()
    async with MailHost() as host:
        name, _, port = host.imap_address.rpartition(":")
        client = aioimaplib.IMAP4(name, int(port), timeout=30)
        await client.wait_hello_from_server()
        await client.login(RITA, "rita-mail-pass")
        await client.select("INBOX")
        await client.idle_start()
        await host.wait_idle(RITA)
        await host.switch(RITA, "silent", True)
        raw_reader, raw_writer = await asyncio.open_connection(*host.smtp_address.split(":"))
        await raw_reader.readline()
    assert {task for task in asyncio.all_tasks() - before if "sandbox" in str(task.get_stack())} == set()
    raw_writer.close()
    client.protocol.transport.abort()
