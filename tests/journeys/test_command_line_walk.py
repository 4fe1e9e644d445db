"""The whole job by the command line alone, ``--json``, against ``python app.py serve`` as its operator runs it."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from tests.journeys.process import QUICK, Product, Stage, cards, mailbox_add, repeated, stage, until, words_of

CAMPAIGN = "Backend engineers"
MAYA = "maya.lind@candidates.example"
JONAS = "jonas.berg@candidates.example"
PRIYA = "priya.raman@candidates.example"
TOMAS = "tomas.novak@candidates.example"
RITA = "rita@agency.test"

PEOPLE = f"""first_name,last_name,personal_email,company
Maya,Lind,{MAYA},Northwind
Jonas,Berg,{JONAS},Fjordware
Broken,Row,this is no address,Nowhere
Priya,Raman,{PRIYA},Ramanworks
"""
FILE = f"""name: {CAMPAIGN}
from: {RITA}
owner: U0RITA
stages:
  - kind: email
    subject: "{{{{first_name}}}}, a role at {{{{company}}}}"
    body: Hi {{{{first_name}}}}, shall we talk?
  - kind: email
    delay: 1h
    body: Did you see my note, {{{{first_name}}}}?
"""
FAULTY_FILE = """name: Faulty
from: rita@agency.test
stages:
  - kind: email
    delay: soonish
    subject: Hello
    body: Hi {{first_name}}
  - kind: pigeon
    body: Coo
"""


@pytest.fixture
async def around(tmp_path: Path) -> AsyncIterator[Stage]:
    async with stage(tmp_path) as one:
        await one.product.start()
        await one.product.settings(**QUICK)
        yield one


async def launch(around: Stage) -> None:
    """Rita's mailbox is green and the campaign runs for Maya, Jonas and Priya."""
    await around.connect()
    await around.green()
    people = around.product.file("people.csv", PEOPLE)
    await around.product.ask("people", "import", people)
    await around.product.ask("campaign", "import", around.product.file("campaign.yml", FILE))
    enrolled = await around.product.ask("campaign", "enroll", CAMPAIGN, "--email", MAYA, JONAS, PRIYA)
    assert enrolled == {"enrolled": 3, "skipped": []}
    await around.product.ask("campaign", "start", CAMPAIGN)


async def shown(product: Product, email: str, status: str) -> dict[str, Any]:
    """The row of a prospect once it shows this status."""

    async def there() -> Any:
        row = (await product.prospects(CAMPAIGN))[email]
        return row if row["status"] == status else None

    found: dict[str, Any] = await until(there, f"{email} is {status}")
    return found


async def mailbox(product: Product, light: str) -> dict[str, Any]:
    async def there() -> Any:
        row = (await product.ask("mailbox", "show", RITA))[0]
        return row if row["light"] == light else None

    found: dict[str, Any] = await until(there, f"{RITA} is {light}")
    return found


async def test_a_campaign_from_the_first_mailbox_to_the_reply(around: Stage) -> None:
    """Connect, import, enrol, start; the mail arrives, the answer stops the rest, and one card stands in each place."""
    product = around.product
    added = await around.connect()
    assert added["address"] == RITA
    assert {"id", "status"} <= added.keys()
    green = await around.green()
    assert green["status"] == "active"
    assert green["error"] is None
    assert green["last_sync_at"].endswith("Z")

    imported = await product.ask("people", "import", product.file("people.csv", PEOPLE))
    assert (imported["created"], imported["updated"]) == (3, 0)
    assert [row["line"] for row in imported["rejected"]] == [4]
    assert imported["rejected"][0]["reason"]

    campaign = await product.ask("campaign", "import", product.file("campaign.yml", FILE))
    assert (campaign["name"], campaign["stages"]) == (CAMPAIGN, 2)
    enrolled = await product.ask("campaign", "enroll", CAMPAIGN, "--people", product.file("people.csv", PEOPLE))
    assert enrolled["enrolled"] == 3
    assert [one["reason"].partition(":")[0] for one in enrolled["skipped"]] == ["line 4"]
    await product.ask("campaign", "start", CAMPAIGN)

    mail = await around.host.wait_accepted(lambda one: MAYA in one.rcpts, timeout=60)
    assert mail.subject == "Maya, a role at Northwind"
    await around.host.reply(MAYA, mail, "Yes, Thursday works for me.")
    row = await shown(product, MAYA, "Replied")
    assert row["reason"] is None
    report = await product.ask("campaign", "status", CAMPAIGN)
    assert report["status"] == "active"
    assert report["metrics"]["people"] == 3
    assert report["metrics"]["replied"] == 1
    assert report["metrics"]["stages"][0]["sent"] == 3

    person = await product.ask("people", "show", MAYA)
    assert sorted(line["direction"] for line in person["activities"]) == ["in", "out"]
    assert {line["campaign"] for line in person["activities"]} == {CAMPAIGN}
    direct = around.slack.direct_message("U0RITA")
    for channel in ("C0REPLIES", direct):
        await around.slack.wait_message(channel, lambda one: "Maya" in words_of(one))
        keys = [key for key, words in cards(around.slack, channel) if "Maya" in words]
        assert len(keys) == 1, f"{channel}: {keys}"
    assert "Thursday works" in str(cards(around.slack, direct))
    assert "Thursday works" not in str(cards(around.slack, "C0REPLIES"))


async def test_a_failed_stage_is_retried_one_by_one_and_all_at_once(around: Stage) -> None:
    """Refused mails show reason, text and fix; ``prospect retry`` and ``retry`` send them again once mended."""
    product = around.product
    for address in (MAYA, JONAS):
        await around.host.switch(address, "refuse", "reject")
    await launch(around)
    failed = await shown(product, MAYA, "Bounced")
    await shown(product, JONAS, "Bounced")
    assert failed["reason"].keys() == {"code", "text", "fix"}
    assert failed["reason"]["fix"]
    log = await product.ask("email-log", "--campaign", CAMPAIGN, "--status", "Not Delivered")
    assert {row["email"] for row in log} == {MAYA, JONAS}
    assert all(row["reason"] for row in log)

    around.host.mend(MAYA)
    retried = await product.ask("prospect", "retry", CAMPAIGN, MAYA)
    assert retried["status"] == "Active"
    await around.host.wait_accepted(lambda one: MAYA in one.rcpts, timeout=60)
    assert "Nothing has failed" in await product.refused("prospect", "retry", CAMPAIGN, MAYA)

    around.host.mend(JONAS)
    everyone = await product.ask("retry", CAMPAIGN)
    assert everyone["retried"] == 1
    await around.host.wait_accepted(lambda one: JONAS in one.rcpts, timeout=60)
    failures = cards(around.slack, "C0REPLIES")
    assert not repeated([key for key, _ in failures])


async def test_a_waiting_mail_is_cancelled_in_the_email_log(around: Stage) -> None:
    """The log shows what waits; cancelling it is final, and a second try is refused in words."""
    product = around.product
    await launch(around)
    await around.host.wait_accepted(lambda one: PRIYA in one.rcpts, timeout=60)

    async def waiting() -> Any:
        rows = await product.ask("email-log", "--campaign", CAMPAIGN, "--status", "Waiting")
        return next((row for row in rows if row["email"] == PRIYA), None)

    row = await until(waiting, "Priya's second mail waits")
    assert {"id", "campaign", "email", "stage", "status", "reason", "at", "message_id"} <= row.keys()
    assert row["stage"] == 2
    cancelled = await product.ask("email-log", "cancel", row["id"])
    assert cancelled["status"] == "Not Delivered"
    assert await product.refused("email-log", "cancel", row["id"])
    await shown(product, PRIYA, "Not Delivered")


async def test_a_changed_password_shows_cause_and_fix_and_is_mended(around: Stage) -> None:
    """Red with cause and fix; resync without mending stays red; the new password turns the light and the card."""
    product = around.product
    await around.connect()
    await around.green()
    await around.host.switch(RITA, "password", "changed overnight")
    red = await mailbox(product, "red")
    assert red["status"] == "error"
    assert red["error"].keys() == {"cause", "raw", "fix", "at"}
    assert red["error"]["cause"] == "credentials_rejected"
    assert red["error"]["fix"]
    assert "Invalid credentials" in red["error"]["raw"]
    await product.ask("mailbox", "resync", RITA)

    await around.connect()  # with the password of the moment
    await mailbox(product, "green")
    log = await product.ask("mailbox", "log", RITA)
    assert log
    assert {"at", "cause", "raw", "fix"} <= log[0].keys()
    direct = around.slack.direct_message("U0RITA")
    for channel in ("C0ALERTS", direct):
        await around.slack.wait_message(channel, lambda one: "recovered" in words_of(one).lower())
        assert len(cards(around.slack, channel)) == 1


async def test_a_faulty_campaign_file_is_refused_by_line_field_and_reason(around: Stage) -> None:
    """Every fault at once, exit 1, nothing imported."""
    words = await around.product.refused("campaign", "import", around.product.file("faulty.yml", FAULTY_FILE))
    assert "line 5" in words
    assert "delay" in words
    assert "line 8" in words
    assert "kind" in words
    assert await around.product.ask("campaign", "list") == []


async def test_a_wrong_password_is_refused_with_the_servers_words(around: Stage) -> None:
    """``mailbox add`` tries the mailbox before it stores anything."""
    words = mailbox_add(around.host, RITA, "U0RITA")
    said = await around.product.refused(*words, stdin="not the password\n")
    assert "Invalid credentials" in said or "not accepted" in said
    assert "not the password" not in said + around.product.log
    assert await around.product.ask("mailbox", "list") == []


async def test_a_backup_is_taken_while_serving(around: Stage) -> None:
    """A whole, consistent copy."""
    await launch(around)
    copy = around.product.folder / "copy.db"
    assert await around.product.ask("backup", str(copy)) == {"file": str(copy)}
    with sqlite3.connect(copy) as database:
        assert database.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        assert database.execute("SELECT count(*) FROM enrollments").fetchone() == (3,)


async def test_a_second_server_on_the_same_file_is_refused(around: Stage) -> None:
    """One sentence that names the cause; the first goes on."""
    port = around.product.environment["RETHREAD_PORT"]
    other = {**around.product.environment, "RETHREAD_PORT": "0", "RETHREAD_PUBLIC_URL": f"http://127.0.0.1:{port}"}
    answer = await around.product.run("serve", environment=other)
    assert answer.code == 1, answer.err
    assert "Traceback" not in answer.err
    assert "nother process" in answer.err
    assert len(answer.err.strip().splitlines()) <= 3
    assert await around.product.ask("mailbox", "list") == []


async def test_sigterm_ends_the_server_in_time_and_what_was_done_stays(around: Stage) -> None:
    """Exit 0 within 25 s; after the next start everything is there and nothing goes twice."""
    await launch(around)
    await around.host.wait_accepted(lambda one: MAYA in one.rcpts, timeout=60)
    code, seconds = await around.product.terminate()
    assert code == 0, around.product.log[-3_000:]
    assert seconds < 25
    assert (await around.product.ask("mailbox", "list"))[0]["address"] == RITA  # without a server, too
    await around.product.start()
    await around.green()
    await around.host.wait_until(lambda: len(around.host.accepted) >= 3, timeout=60)
    assert sorted(one.rcpts[0] for one in around.host.accepted) == sorted((MAYA, JONAS, PRIYA))
    assert "Traceback" not in around.product.log


# Without a server


async def test_every_wrong_setting_is_named_at_once(tmp_path: Path) -> None:
    """Exit 2, each variable with what to do."""
    wrong = {
        **_bare(),
        "SLACK_BOT_TOKEN": "not-a-bot-token",
        "RETHREAD_PORT": "eighty",
        "DATABASE_URL": "mysql://somewhere/else",
        "RETHREAD_SECRET_KEYS": "short",
        "RETHREAD_ROLE": "king",
    }
    answer = await Product(wrong, tmp_path).run("serve", "--json")
    assert answer.code == 2, answer.err
    for name in ("SLACK_BOT_TOKEN", "RETHREAD_PORT", "DATABASE_URL", "RETHREAD_SECRET_KEYS", "RETHREAD_ROLE"):
        assert name in answer.err
    assert "short" not in answer.err.replace("RETHREAD_SECRET_KEYS", "")


@pytest.mark.parametrize(
    "words",
    [
        ("mailbox", "fly"),
        ("mailbox", "add", "--address", RITA),
        ("campaign", "status"),
        ("diagnose", "--layer", "smoke"),
        (),
        ("classify",),
    ],
    ids=" ".join,
)
async def test_wrong_usage_exits_2_in_words(tmp_path: Path, words: tuple[str, ...]) -> None:
    answer = await Product(_bare(), tmp_path).run(*words)
    assert answer.code == 2
    assert answer.err.strip()
    assert "Traceback" not in answer.err
    assert not answer.out


async def test_classify_needs_neither_settings_nor_database(tmp_path: Path) -> None:
    """Mails in the order given, SMTP answers one a line."""
    product = Product(_bare(), tmp_path)
    reply = product.file("reply.eml", f"From: {MAYA}\r\nTo: {RITA}\r\nSubject: Re: A role\r\n\r\nYes, gladly.\r\n")
    away = product.file(
        "away.eml",
        f"From: {MAYA}\r\nTo: {RITA}\r\nSubject: Automatic reply: A role\r\n"
        "Auto-Submitted: auto-replied\r\n\r\nAway.\r\n",
    )
    rows = await product.ask("classify", reply, away)
    assert [row["kind"] for row in rows] == ["reply", "auto_reply"]
    assert [Path(row["file"]).name for row in rows] == ["reply.eml", "away.eml"]
    answers = (
        "550 5.1.1 The email account that you tried to reach does not exist.\n\n451 4.7.1 Please try again later\n"
    )
    rows = await product.ask("classify", "--smtp", stdin=answers)
    assert [row["transient"] for row in rows] == [False, True]
    assert rows[0]["status"] == "Bounced"
    assert set(os.listdir(tmp_path)) == {"reply.eml", "away.eml"}


async def test_diagnose_needs_neither_settings_nor_database(tmp_path: Path) -> None:
    lines = "NO [AUTHENTICATIONFAILED] Invalid credentials (Failure)\nsomething nobody has ever seen\n"
    rows = await Product(_bare(), tmp_path).ask("diagnose", "--layer", "imap", stdin=lines)
    assert [row["cause"] for row in rows] == ["credentials_rejected", "unknown"]
    assert {"line", "cause", "class", "transient", "who", "fix"} <= rows[0].keys()


async def test_help_names_every_command_of_the_contract(tmp_path: Path) -> None:
    answer = await Product(_bare(), tmp_path).run("--help")
    assert answer.code == 0
    for verb in ("serve", "migrate", "check", "mailbox add", "campaign import", "email-log", "classify", "backup"):
        assert verb in answer.out


async def test_check_names_what_is_wrong(around: Stage) -> None:
    """Rows of name, ok, detail and fix; exit 0 where all is well, 1 where Slack refuses the token."""
    good = await around.product.run("check", "--json")
    assert good.code == 0, good.out
    assert all(row.keys() == {"name", "ok", "detail", "fix"} for row in good.document)
    around.slack.revoke_token()
    bad = await around.product.run("check", "--json")
    assert bad.code == 1
    (wrong,) = [row for row in bad.document if not row["ok"]]
    assert wrong["name"] == "slack"
    assert "token_revoked" in wrong["detail"]
    assert "SLACK_BOT_TOKEN" in wrong["fix"]


async def test_a_token_that_slack_refuses_ends_the_start_in_words(tmp_path: Path) -> None:
    """Exit 1, what was refused and what to do."""
    async with stage(tmp_path) as around:
        around.slack.revoke_token("invalid_auth")
        answer = await around.product.run("serve")
        assert answer.code == 1
        assert "invalid_auth" in answer.err
        assert "SLACK_BOT_TOKEN" in answer.err
        assert "Traceback" not in answer.err


def _bare() -> dict[str, str]:
    """An environment that tells the product nothing."""
    kept = ("PATH", "HOME", "LANG", "TMPDIR")
    return {name: os.environ[name] for name in kept if name in os.environ}
