"""A database of the earlier program (schema 0001), filled as that program filled it, comes up under this one: what was
read is not read again, what was going on goes on. On both databases, on real IMAP and SMTP."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from pathlib import Path

import psycopg
import pytest
from alembic import command
from alembic.config import Config
from procrastinate.schema import SchemaManager
from sqlalchemy import create_engine

from core.clock import SystemClock
from core.domain.moment import iso
from sandbox.mail import MailHost
from storage.engine import open_store
from storage.migrate import head, upgrade
from tests.journeys.engine_rig import ADA, Rig, running
from tests.journeys.engine_rig import RITA as RITA_HERSELF
from tests.stores import KEYS

MIGRATIONS = Path(__file__).parents[2] / "storage" / "migrations"
RITA, MAYA, PRIYA, JONAS = (
    "rita@agency.test",
    "maya.lind@candidates.example",
    "priya.raman@candidates.example",
    "Jonas.B.erg+jobs@gmail.com",
)
MAYAS_MAIL, PRIYAS_MAIL, MAYAS_ANSWER = (
    "c27f4bd8a5d5e6789b2ad7587382f754@agency.test",
    "9be2cdd3166ddf2af94ac9f55172f057@agency.test",
    "179531480396.31073.12610578389573721629@candidates.example",
)
MAILBOX = "01a20119-e43a-739a-8bf3-7e9bf1948568"
CAMPAIGN, TO_MAYA, TO_PRIYA = (
    "01a20119-e48e-73db-9c93-4e5c3527b867",
    "01a20119-e498-765d-b365-1c73c136b816",
    "01a20119-e498-700e-a591-329dd5f006d0",
)
# Sealed by the earlier program with the tests' key: Rita's name and password.
SEALED = (
    "01AA326107C498D37A77B03DBCE9A75B106A5FADB4B9DA8F64F7483E7145F6528397D078CFB6E2CF1B492F6E34E6D524637B1B4DB1E154EB"
    "262B1880ABDEC35E4EA046E66BBAE3B02416E66699BDAEACD1FDD6FE9BCA3E1DAE3E78C8A3F99A96CFAF84A377DA18A85F77B2798636DE"
)
STAGE_1 = {"kind": "email", "subject": "{{first_name}}, a role", "body": "Hi {{first_name}}"}
STAGE_2 = {"kind": "email", "delay": "2d", "body": "Did you see my note?"}
_REST = {"html": "", "note": "", "required": False, "sender": None, "attachments": []}
STAGES = [
    {"position": 1, "delay": {"seconds": 0.0, "business_days": 0}, **STAGE_1, **_REST},
    {"position": 2, **STAGE_2, "delay": {"seconds": 172800.0, "business_days": 0}, "subject": "", **_REST},
]
DEFINITION = {"name": "Backend engineers", "from": RITA, "stages": [STAGE_1, STAGE_2]}
# What the earlier program left behind, row for row.
ROWS = """
INSERT INTO workspaces VALUES ('T0AGENCY', 'Agency', '{then}');
INSERT INTO settings VALUES ('T0AGENCY', 'history_days', '3650', 'environment', '{then}');
INSERT INTO mailboxes VALUES ('T0AGENCY', '{mailbox}', '{rita}', '{rita}', 'U0RITA', 'other', '{rita}',
  '127.0.0.1', {imap_port}, 'none', '127.0.0.1', {smtp_port}, 'none', TRUE, TRUE, 'active', 3, '{then}', '',
  NULL, NULL, NULL, NULL, 0, NULL, '{then}', '{then}', NULL, NULL);
INSERT INTO credentials VALUES ('T0AGENCY', '{mailbox}', 'bea117fe33fc', {sealed});
INSERT INTO folders VALUES ('T0AGENCY', 'f-inbox', '{mailbox}', 'INBOX', 'inbox', {inbox}, NULL, 21,
  '{then}', 0, 0, NULL);
INSERT INTO folders VALUES ('T0AGENCY', 'f-sent', '{mailbox}', 'Sent', 'sent', {sent}, NULL, 2,
  '{then}', 0, 0, NULL);
INSERT INTO folders VALUES ('T0AGENCY', 'f-junk', '{mailbox}', 'Junk', 'junk', {junk}, NULL, 0,
  '{then}', 0, 0, NULL);
INSERT INTO people VALUES ('T0AGENCY', 'p-maya', 'Maya', 'Lind', '', '', '{then}', '{then}', '{nothing}');
INSERT INTO people VALUES ('T0AGENCY', 'p-priya', 'Priya', 'Raman', '', '', '{then}', '{then}', '{nothing}');
INSERT INTO people VALUES ('T0AGENCY', 'p-jonas', 'Jonas', 'Berg', '', '', '{then}', '{then}', '{nothing}');
INSERT INTO person_addresses VALUES ('T0AGENCY', '{maya}', 'p-maya', '{maya}', 'personal', TRUE, '{then}', 1);
INSERT INTO person_addresses VALUES ('T0AGENCY', '{priya}', 'p-priya', '{priya}', 'personal', TRUE, '{then}', 1);
INSERT INTO person_addresses VALUES
  ('T0AGENCY', 'jonas.b.erg+jobs@gmail.com', 'p-jonas', '{jonas}', 'personal', TRUE, '{then}', 1);
INSERT INTO campaigns VALUES ('T0AGENCY', '{campaign}', 'Backend engineers', 'backend engineers', 'active', 2, '{then}',
  '["{rita}"]', '{stages}', 'U0ADA', NULL, NULL, '["personal","work","other"]', '{definition}');
INSERT INTO enrollments VALUES ('T0AGENCY', '{to_maya}', '{campaign}', 'p-maya', '{mailbox}', 'Replied', 2, 3, '{then}',
  NULL, NULL, NULL, NULL);
INSERT INTO enrollments VALUES ('T0AGENCY', '{to_priya}', '{campaign}', 'p-priya', '{mailbox}', 'Active', 2, 2,
  '{then}', NULL, NULL, NULL, '{due}');
INSERT INTO deliveries VALUES ('T0AGENCY', 'd-maya-1', '{to_maya}', '{campaign}', '{mailbox}', 1, 1, TRUE, 'sent', 4,
  '{then}', '{then}', NULL, '{mayas_mail}', NULL, 'Maya, a role', '{maya}', 't1', '{then}', 1, 0, 0, NULL, NULL,
  '250 2.0.0 OK queued as 1', '{then}', 'server');
INSERT INTO deliveries VALUES ('T0AGENCY', 'd-maya-2', '{to_maya}', '{campaign}', '{mailbox}', 2, 1, FALSE, 'cancelled',
  2, '{then}', '{due}', NULL, NULL, NULL, NULL, NULL, NULL, NULL, 0, 0, 0, NULL, 'replied', NULL, NULL, NULL);
INSERT INTO deliveries VALUES ('T0AGENCY', 'd-priya-1', '{to_priya}', '{campaign}', '{mailbox}', 1, 1, TRUE, 'sent', 4,
  '{then}', '{then}', NULL, '{priyas_mail}', NULL, 'Priya, a role', '{priya}', 't2', '{then}', 1, 0, 0, NULL, NULL,
  '250 2.0.0 OK queued as 2', '{then}', 'server');
INSERT INTO deliveries VALUES ('T0AGENCY', 'd-priya-2', '{to_priya}', '{campaign}', '{mailbox}', 2, 1, FALSE, 'queued',
  1, '{then}', '{due}', NULL, NULL, NULL, NULL, NULL, NULL, NULL, 0, 0, 0, NULL, NULL, NULL, NULL, NULL);
INSERT INTO messages VALUES ('T0AGENCY', 'm-to-maya', '{mailbox}', 'fingerprint-1', '{mayas_mail}', 'out', 'own',
  '{then}', '{rita}', '["{maya}"]', 'Maya, a role', '[]', '[]', 'T1', 'Hi Maya', '[]', NULL);
INSERT INTO messages VALUES ('T0AGENCY', 'm-to-priya', '{mailbox}', 'fingerprint-2', '{priyas_mail}', 'out', 'own',
  '{then}', '{rita}', '["{priya}"]', 'Priya, a role', '[]', '[]', 'T2', 'Hi Priya', '[]', NULL);
INSERT INTO messages VALUES ('T0AGENCY', 'm-of-maya', '{mailbox}', 'fingerprint-3', '{mayas_answer}', 'in', 'reply',
  '{then}', '{maya}', '["{rita}"]', 'Re: Maya, a role', '["{mayas_mail}"]', '["{mayas_mail}"]', 'T1', 'Yes!', '[]',
  NULL);
INSERT INTO activities VALUES ('T0AGENCY', 'p-maya', 'fingerprint-1', 'm-to-maya', 'out', 'own', 'exact_address',
  '{then}', '{campaign}', '{to_maya}');
INSERT INTO activities VALUES ('T0AGENCY', 'p-priya', 'fingerprint-2', 'm-to-priya', 'out', 'own', 'exact_address',
  '{then}', '{campaign}', '{to_priya}');
INSERT INTO activities VALUES ('T0AGENCY', 'p-maya', 'fingerprint-3', 'm-of-maya', 'in', 'reply', 'exact_address',
  '{then}', '{campaign}', '{to_maya}');
"""
# An alert that the earlier program had opened, and its two cards in Slack.
BROKEN = """
UPDATE mailboxes SET status = 'error', fault_cause = 'credentials_rejected', fault_raw = 'NO Invalid credentials',
  fault_fix = 'Press Reconnect.', fault_at = '{then}', streak = 2, failing_since = '{then}';
INSERT INTO alerts VALUES ('T0AGENCY', 'a-1', 'sync:{mailbox}', 'open', 1, '{then}', '{alert}', NULL);
INSERT INTO outbox VALUES ('T0AGENCY', 'o-1', 'sync:a-1:owner', 'user:U0RITA', 'sync', '{alert}', 1, 1, 'posted', 0,
  'D0RITA', '90.1', NULL, NULL, NULL, '{then}', '{then}', NULL);
INSERT INTO outbox VALUES ('T0AGENCY', 'o-2', 'sync:a-1:admins', 'C0ALERTS', 'sync', '{alert}', 1, 1, 'posted', 0,
  'C0ALERTS', '90.2', NULL, NULL, NULL, '{then}', '{then}', NULL);
"""


def letter(sender: str, to: str, subject: str, message_id: str, answers: str = "") -> bytes:
    mail = EmailMessage()
    mail["From"], mail["To"], mail["Subject"], mail["Message-ID"] = sender, to, subject, f"<{message_id}>"
    if answers:
        mail["In-Reply-To"] = f"<{answers}>"
    mail.set_content("Good day.")
    return mail.as_bytes()


async def fill(host: MailHost) -> None:
    """What lies in Rita's folders since the days of the earlier program. Maya's twenty letters came before she had a
    profile: they were read, and logged nowhere."""
    for number in range(20):
        await host.deliver(letter(MAYA, RITA, "From before", f"before-{number}@candidates.example"), RITA)
    await host.deliver(letter(MAYA, RITA, "Re: Maya, a role", MAYAS_ANSWER, MAYAS_MAIL), RITA)
    await host.deliver(letter(RITA, MAYA, "Maya, a role", MAYAS_MAIL), RITA, "Sent")
    await host.deliver(letter(RITA, PRIYA, "Priya, a role", PRIYAS_MAIL), RITA, "Sent")


def rows(host: MailHost, *, broken: bool, bytes_as: str, zone: str) -> str:
    """The rows in one database's spelling, naming the host's ports and its folders as far as they were read."""

    def read_to_its_end(name: str) -> str:
        folder, mails = host.folder(RITA, name), host.messages(RITA, name)
        return f"{folder.uid_validity}, {mails[-1].uid + 1 if mails else 101}"

    now = datetime.now(UTC)
    then, due = (f"{at:%Y-%m-%d %H:%M:%S.%f}{zone}" for at in (now - timedelta(days=3), now - timedelta(minutes=1)))
    return (ROWS + (BROKEN if broken else "")).format(
        **{"then": then, "due": due, "rita": RITA, "maya": MAYA, "priya": PRIYA, "jonas": JONAS},
        **{"mayas_mail": MAYAS_MAIL, "priyas_mail": PRIYAS_MAIL, "mayas_answer": MAYAS_ANSWER},
        **{"mailbox": MAILBOX, "campaign": CAMPAIGN, "to_maya": TO_MAYA, "to_priya": TO_PRIYA},
        **{"stages": json.dumps(STAGES), "definition": json.dumps(DEFINITION), "nothing": "{}"},
        imap_port=host.imap_address.rpartition(":")[2],
        smtp_port=host.smtp_address.rpartition(":")[2],
        sealed=bytes_as.format(SEALED),
        inbox=read_to_its_end("INBOX"),
        sent=read_to_its_end("Sent"),
        junk=read_to_its_end("Junk"),
        alert=json.dumps(old_alert(iso(now - timedelta(days=3)))),
    )


def old_alert(since: str | None) -> dict[str, object]:
    """The facts of a broken mailbox's card, as many as the earlier program wrote."""
    known = {
        "state": "broken",
        "alert_id": "a-1",
        "version": 1,
        "mailbox_id": MAILBOX,
        "address": RITA,
        "owner": "U0RITA",
        "cause": "credentials_rejected",
        "title": "Password was changed or is wrong",
        "raw": "NO Invalid credentials",
        "fix": "Press Reconnect.",
        "who": "recruiter",
        "since": since,
        "last_sync_at": since,
    }
    unset = dict.fromkeys(("actor", "actor_at", "recovered_at", "down_minutes"))
    return {**known, **unset, "caught_up": 0, "failed_meanwhile": 0}


def first_schema(url: str) -> None:
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    engine = create_engine(url)
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "0001")
    engine.dispose()


@dataclass(frozen=True)
class OldDatabase:
    """Where it is, for SQLAlchemy, and a way to ask it by plain SQL."""

    url: str
    file: Path | None

    def ask(self, query: str, *, file: Path | None = None) -> list[tuple[object, ...]]:
        file = file or self.file
        if file is not None:
            with closing(sqlite3.connect(file)) as reader:
                return reader.execute(query).fetchall()
        with psycopg.connect(_plain(self.url)) as connection:
            return connection.execute(query.encode()).fetchall()


def _plain(url: str) -> str:
    return url.replace("+psycopg", "")


def old_sqlite(host: MailHost, folder: Path, *, broken: bool = False) -> OldDatabase:
    file = folder / "rethread.db"
    first_schema(f"sqlite:///{file}")
    with closing(sqlite3.connect(file)) as connection:
        connection.executescript(rows(host, broken=broken, bytes_as="X'{}'", zone=""))
    return OldDatabase(f"sqlite+aiosqlite:///{file}", file)


def old_postgres(host: MailHost, url: str, *, broken: bool = False) -> OldDatabase:
    first_schema(url)
    with psycopg.connect(_plain(url)) as connection:
        connection.execute(SchemaManager.get_schema().encode())
        connection.execute(rows(host, broken=broken, bytes_as="'\\x{}'::bytea", zone="+00").encode())
    return OldDatabase(url, None)


@pytest.fixture
async def host() -> AsyncIterator[MailHost]:
    async with MailHost() as mail_host:
        await fill(mail_host)
        yield mail_host


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def old(request: pytest.FixtureRequest, host: MailHost, tmp_path: Path) -> OldDatabase:
    if request.param == "sqlite":
        return old_sqlite(host, tmp_path)
    return old_postgres(host, request.getfixturevalue("empty_postgres_url"))


@asynccontextmanager
async def under_this_program(old: OldDatabase, host: MailHost) -> AsyncIterator[Rig]:
    """As the server opens it: SQLite is migrated on opening, PostgreSQL by ``migrate`` before."""
    if old.file is None:
        await upgrade(old.url)
    async with (
        await open_store(old.url, keys=KEYS, clock=SystemClock(), migrate=old.file is not None) as store,
        running(store, host) as rig,
    ):
        yield rig


async def test_an_old_database_goes_on_where_it_stood(old: OldDatabase, host: MailHost) -> None:
    """What had been read stays read, the due stage goes into its thread, the new answer is heard."""
    folders = "SELECT name, uidvalidity, uidnext FROM folders ORDER BY name"
    before = old.ask(folders)
    async with under_this_program(old, host) as rig:
        await rig.light(RITA, "green")
        follow_up = await host.wait_accepted(lambda mail: PRIYA in mail.rcpts, timeout=60)
        assert follow_up.subject == "Re: Priya, a role"
        assert f"In-Reply-To: <{PRIYAS_MAIL}>".encode() in follow_up.raw
        await rig.prospect("Backend engineers", PRIYA, "Complete")
        checkpoints = {name: (validity, uid) for name, validity, uid in old.ask(folders)}
        assert [(name, checkpoints[name]) for name in ("INBOX", "Junk")] == [
            (name, (validity, uid)) for name, validity, uid in before if name != "Sent"
        ]
        await host.reply(PRIYA, follow_up, "Now I have.")

        async def heard() -> bool:
            return len((await rig.uses.people.show(ADA, PRIYA)).activities) == 3

        await rig.until(heard, "both mails and the answer on Priya's stream")
        stream = (await rig.uses.people.show(ADA, MAYA)).activities
        assert sorted((line.direction, line.subject) for line in stream) == [
            ("in", "Re: Maya, a role"),
            ("out", "Maya, a role"),
        ]
        assert len(host.accepted) == 1
        assert not [card for card in rig.notifier.cards.values() if card.kind == "sync"]
    assert old.ask("SELECT version_num FROM alembic_version") == [(head(),)]
    loose = old.ask("SELECT key, loose_key FROM person_addresses ORDER BY key")
    assert loose == [(JONAS.lower(), "jonasberg@gmail.com"), (MAYA, MAYA), (PRIYA, PRIYA)]


async def test_an_answer_that_came_while_the_program_was_changed_stops_the_follow_up(
    old: OldDatabase, host: MailHost
) -> None:
    """It is read from the checkpoint on before anything that is due may go."""
    await host.deliver(letter(PRIYA, RITA, "Re: Priya, a role", "late@candidates.example", PRIYAS_MAIL), RITA)
    async with under_this_program(old, host) as rig:
        await rig.prospect("Backend engineers", PRIYA, "Replied")
        await rig.light(RITA, "green")
        await rig.notifier.wait(lambda: rig.notifier.of("reply", "C0REPLIES"), "reply card")
        assert not host.accepted


async def test_a_copy_of_the_old_file_is_kept_beside_it(host: MailHost, tmp_path: Path) -> None:
    """With the old schema and all its rows, for whoever must go back."""
    old = old_sqlite(host, tmp_path)
    async with await open_store(old.url, keys=KEYS, clock=SystemClock(), migrate=True):
        pass
    copy = tmp_path / f"rethread.db.before-{head()}"
    assert old.ask("SELECT version_num FROM alembic_version", file=copy) == [("0001",)]
    assert old.ask("SELECT count(*) FROM activities", file=copy) == [(3,)]


async def test_an_alert_of_the_earlier_program_is_taken_on_and_ends_on_its_own_cards(
    host: MailHost, tmp_path: Path
) -> None:
    """Broken still, it is told of on the cards that stand in Slack, and mended there."""
    old = old_sqlite(host, tmp_path, broken=True)
    await host.switch(RITA, "password", "another password")
    async with under_this_program(old, host) as rig:
        cards = rig.notifier.cards
        await rig.notifier.wait(lambda: "90.2" in cards and "90.1" in cards, "both cards looked at anew")
        assert {cards[ts].facts["cause"] for ts in ("90.1", "90.2")} == {"credentials_rejected"}
        await host.switch(RITA, "password", "rita-mail-pass")
        await rig.uses.mailboxes.request_resync(RITA_HERSELF, MAILBOX)
        await rig.notifier.wait(lambda: cards["90.2"].facts["state"] == "recovered", "recovery")
        assert cards["90.2"].facts["down_minutes"] >= 3 * 24 * 60
        assert [card.kind for card in rig.notifier.of("sync")] == ["sync", "sync"]
        await rig.light(RITA, "green")
