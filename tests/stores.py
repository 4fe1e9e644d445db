"""Stores on both databases for any test, and the things that live in them.

A test that asks for ``store`` runs on SQLite and on PostgreSQL; one that asks for ``sqlite_store`` runs once.
Workspaces T1 and T2 are there.
"""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from core.domain.account import Mailbox, MailboxStatus
from core.domain.campaign import Campaign, CampaignStatus, Delay, Stage
from core.domain.delivery import Delivery, DeliveryState
from core.domain.enrollment import Enrollment, ProspectStatus
from core.domain.people import PersonAddress
from core.ports.storage import NewPerson, UnitOfWork
from storage.engine import open_store
from storage.migrate import upgrade
from storage.sql_store import SqlStore

NOW = datetime(2026, 9, 1, 9, 0, tzinfo=UTC)
KEYS = ("a test key of thirty-two characters or more",)


class SteadyClock:
    """A clock that moves only when told."""

    def __init__(self, at: datetime = NOW) -> None:
        self.at = at

    def now(self) -> datetime:
        return self.at

    def monotonic(self) -> float:
        return (self.at - NOW).total_seconds()

    def pass_time(self, **duration: float) -> None:
        self.at += timedelta(**duration)


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("template") / "rethread.db"
    asyncio.run(upgrade(f"sqlite+aiosqlite:///{path}"))
    return path


@pytest.fixture
def sqlite_url(sqlite_template: Path, tmp_path: Path) -> str:
    """A SQLite file of this test's own, with the newest schema."""
    path = tmp_path / "rethread.db"
    shutil.copy(sqlite_template, path)
    return f"sqlite+aiosqlite:///{path}"


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def database_url(request: pytest.FixtureRequest) -> str:
    """A database of this test's own: the test runs once on each kind."""
    return str(request.getfixturevalue(f"{request.param}_url"))


@pytest.fixture
async def store(database_url: str) -> AsyncIterator[SqlStore]:
    async with await open_with_workspaces(database_url) as opened:
        yield opened


@pytest.fixture
async def sqlite_store(sqlite_url: str) -> AsyncIterator[SqlStore]:
    async with await open_with_workspaces(sqlite_url) as opened:
        yield opened


async def open_with_workspaces(url: str, clock: SteadyClock | None = None) -> SqlStore:
    opened = await open_store(url, keys=KEYS, clock=clock or SteadyClock())
    for workspace in ("T1", "T2"):
        await opened.ensure_workspace(workspace, name=f"Team {workspace}", at=NOW)
    return opened


def make_mailbox(mailbox_id: str = "mb1", **changes: Any) -> Mailbox:
    mailbox = Mailbox(
        id=mailbox_id,
        workspace="T1",
        address="rita@agency.test",
        owner="U0RITA",
        provider="other",
        username="rita",
        imap_host="imap.agency.test",
        imap_port=993,
        imap_tls="ssl",
        smtp_host="smtp.agency.test",
        smtp_port=465,
        smtp_tls="ssl",
        send=True,
        capture=True,
        status=MailboxStatus.ACTIVE,
        version=1,
        created_at=NOW,
        display_name="Rita Recruiter",
    )
    return replace(mailbox, **changes)


def make_address(address: str, kind: str = "personal", *, primary: bool = True) -> PersonAddress:
    return PersonAddress(address, address.lower(), kind, primary, NOW)


def make_person(*addresses: str | PersonAddress, **changes: Any) -> NewPerson:
    """A profile; addresses given as text are personal, the first of them primary."""
    given = addresses or ("cleo@candidates.example",)
    made = tuple(
        make_address(one, primary=position == 0) if isinstance(one, str) else one for position, one in enumerate(given)
    )
    person = NewPerson("Cleo", "Candidate", "+44 20 7946 0000", "Europe/London", made, {"company": "Initech"})
    return replace(person, **changes)


def make_campaign(campaign_id: str = "c1", **changes: Any) -> Campaign:
    campaign = Campaign(
        id=campaign_id,
        workspace="T1",
        name="Backend engineers",
        status=CampaignStatus.ACTIVE,
        version=1,
        created_at=NOW,
        senders=("rita@agency.test",),
        stages=(
            Stage(1, "email", Delay(), subject="A role", body="Hi {{first_name}}"),
            Stage(2, "email", Delay(timedelta(days=2)), body="Still there?"),
            Stage(3, "email", Delay(business_days=2), body="Last try", attachments=("jd.pdf",)),
        ),
        owner="U0RITA",
        definition={"name": "Backend engineers", "stages": [{"kind": "email"}]},
    )
    return replace(campaign, **changes)


def make_enrollment(enrollment_id: str = "e1", **changes: Any) -> Enrollment:
    enrollment = Enrollment(
        id=enrollment_id,
        workspace="T1",
        campaign_id="c1",
        person_id="p1",
        mailbox_id="mb1",
        status=ProspectStatus.ACTIVE,
        stage=1,
        version=1,
        created_at=NOW,
        next_at=NOW,
    )
    return replace(enrollment, **changes)


def make_delivery(delivery_id: str = "d1", **changes: Any) -> Delivery:
    delivery = Delivery(
        id=delivery_id,
        workspace="T1",
        enrollment_id="e1",
        campaign_id="c1",
        mailbox_id="mb1",
        stage=1,
        series=1,
        state=DeliveryState.QUEUED,
        version=1,
        created_at=NOW,
        due_at=NOW,
    )
    return replace(delivery, **changes)


async def add_prospect(uow: UnitOfWork, number: int = 1, **changes: Any) -> Enrollment:
    """Person ``p<n>`` enrolled as ``e<n>`` in campaign c1 by mailbox mb1; those two are added where missing."""
    if await uow.mailboxes.get("mb1") is None:
        await uow.mailboxes.add(make_mailbox(workspace=uow.workspace))
    if await uow.campaigns.get("c1") is None:
        await uow.campaigns.add(make_campaign(workspace=uow.workspace))
    await uow.people.add_many([(f"p{number}", make_person(f"person{number}@candidates.example"))], NOW)
    enrollment = make_enrollment(f"e{number}", workspace=uow.workspace, person_id=f"p{number}", **changes)
    await uow.enrollments.add_many([enrollment])
    return enrollment
