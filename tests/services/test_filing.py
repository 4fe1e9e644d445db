"""Copies in Sent: filed where the host keeps none, never twice, and never taken for a sign of the host's."""

from __future__ import annotations

import asyncio
import email
from dataclasses import replace

import pytest

from core.errors import ConnectionLostError, OutcomeUnknownError, ServerRefusedError
from core.ports.filing import FilingHabit
from core.ports.mail import MailboxClient
from core.services.credentials import CredentialService
from core.services.filing import AT_ONCE, FilingService
from core.workers.filing import FilingWorker
from tests.fakes.mail import FakeClient, FakeConnector
from tests.services.rig import ADA, Rig, email_of


def service(rig: Rig, connector: FakeConnector | None = None) -> FilingService:
    return FilingService(rig.tools, connector or rig.connector, CredentialService(rig.tools, {}))


async def sent(rig: Rig, people: int = 1, *, files_sent: bool = False) -> FilingService:
    """So many first mails are out, three minutes ago."""
    await rig.open()
    rig.provider.files_sent = files_sent
    await rig.launch(people)
    while len(rig.provider.accepted) < people:
        assert await rig.send_due()
    rig.clock.pass_time(minutes=3)
    return service(rig)


def copies(rig: Rig) -> list[str]:
    """To whom the mails in Sent went."""
    return [str(email.message_from_bytes(raw)["To"]) for raw, _ in rig.provider.folders["Sent"].messages.values()]


async def habit(rig: Rig) -> FilingHabit | None:
    mailbox = await rig.mailboxes.find(ADA, "rita@agency.test")
    async with rig.store.read("T1") as uow:
        known = (await uow.filings.of([mailbox.id])).get(mailbox.id)
    return known.habit if known else None


async def test_what_the_host_does_not_file_is_filed_once(rig: Rig) -> None:
    """More mails than one batch; each as it went on the wire."""
    filing = await sent(rig, AT_ONCE + 3)
    await FilingWorker(rig.store, filing).round()
    filed = [raw for raw, _ in rig.provider.folders["Sent"].messages.values()]
    assert sorted(filed) == sorted(rig.provider.accepted)
    assert await habit(rig) is FilingHabit.OURS
    opened = len(rig.connector.opened)
    assert await filing.file_due("T1") == 0
    rig.clock.pass_time(minutes=1)
    assert await filing.file_due("T1") == 0
    assert len(rig.connector.opened) == opened  # nothing new: nobody logs in


async def test_a_host_that_files_by_itself_is_left_alone(rig: Rig) -> None:
    """One look tells; from then on not even that."""
    filing = await sent(rig, 2, files_sent=True)
    await FilingWorker(rig.store, filing).round()
    assert await habit(rig) is FilingHabit.HOST
    assert len(copies(rig)) == 2
    await rig.follow_up()
    rig.clock.pass_time(minutes=3)
    assert await filing.file_due("T1") == 0


async def test_providers_known_to_file_are_never_asked(rig: Rig) -> None:
    filing = await sent(rig)
    for provider in ("google", "microsoft"):
        mailbox = await rig.mailboxes.find(ADA, "rita@agency.test")
        async with rig.store.write("T1") as uow:
            await uow.mailboxes.save(replace(mailbox, provider=provider))
        assert await filing.file_due("T1") == 0
    assert copies(rig) == []


async def test_a_mail_is_filed_only_once_the_host_had_time_to(rig: Rig) -> None:
    await rig.open()
    rig.provider.files_sent = False
    await rig.launch()
    await rig.send_due()
    rig.clock.pass_time(seconds=60)
    assert await service(rig).file_due("T1") == 0
    rig.clock.pass_time(seconds=61)
    assert await service(rig).file_due("T1") == 1
    assert len(copies(rig)) == 1


class Dying(FakeConnector):
    """The connection breaks right after the server has filed a copy."""

    async def connect(self, *args: object, **kwargs: object) -> MailboxClient:
        client = await super().connect(*args, **kwargs)  # type: ignore[arg-type]
        assert isinstance(client, FakeClient)
        append = client.append

        async def dies(folder: str, raw: bytes) -> None:
            await append(folder, raw)
            raise ConnectionLostError("connection reset", layer="imap")

        client.append = dies  # type: ignore[method-assign]
        return client


async def test_a_connection_that_breaks_after_the_copy_makes_no_second_one(rig: Rig) -> None:
    """Searched for before it is filed; and a failure changes nothing that was sent."""
    await sent(rig, 2)
    before = await rig.states()
    assert await service(rig, Dying(rig.provider)).file_due("T1") == 1
    assert len(copies(rig)) == 1
    assert await service(rig).file_due("T1") == 0  # a pause
    rig.clock.pass_time(minutes=11)
    assert await service(rig).file_due("T1") == 1
    assert sorted(copies(rig)) == sorted(str(email.message_from_bytes(raw)["To"]) for raw in rig.provider.accepted)
    assert await rig.states() == before


async def test_a_copy_that_the_server_refuses_is_left_out(rig: Rig) -> None:
    """Too large, or no room: the others are filed."""

    class Full(FakeConnector):
        async def connect(self, *args: object, **kwargs: object) -> MailboxClient:
            client = await super().connect(*args, **kwargs)  # type: ignore[arg-type]
            assert isinstance(client, FakeClient)
            append = client.append

            async def refuses(folder: str, raw: bytes) -> None:
                if email_of(1).encode() in raw:
                    raise ServerRefusedError("NO [OVERQUOTA] no room", layer="imap")
                await append(folder, raw)

            client.append = refuses  # type: ignore[method-assign]
            return client

    await sent(rig, 2)
    await service(rig, Full(rig.provider)).file_due("T1")
    assert len(copies(rig)) == 1
    assert email_of(2) in copies(rig)[0]
    assert await service(rig).file_due("T1") == 0


async def test_two_processes_file_each_mail_once(rig: Rig) -> None:
    await sent(rig, 5)
    await asyncio.gather(*(service(rig).file_due("T1") for _ in range(2)))
    assert len(copies(rig)) == len(set(copies(rig))) == 5


@pytest.mark.parametrize("ours", [True, False])
async def test_our_own_copies_do_not_show_that_the_host_files(rig: Rig, ours: bool) -> None:
    """A mail of unknown outcome is sent again only where the host's own copies of others prove something."""
    filing = await sent(rig, 1, files_sent=not ours)
    await FilingWorker(rig.store, filing).round()
    assert len(copies(rig)) == 1
    rig.provider.outcomes, rig.provider.takes_lost = [OutcomeUnknownError("no answer", layer="smtp")], False
    await rig.follow_up()
    for _ in range(12):
        rig.clock.pass_time(minutes=20)
        await rig.undecided.settle_due("T1")
    assert (await rig.states())[1] == ("2.1 held" if ours else "2.1 queued")
