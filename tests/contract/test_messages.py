"""Messages, streams and people, on both databases."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from core.domain.people import Person
from core.errors import RefusedError
from core.ports.storage import NewActivity, NewMessage, NewPerson, SeenMessage, UnitOfWork
from storage.sql_store import SqlStore
from tests.stores import NOW, make_address, make_campaign, make_mailbox, make_person


def make_message(number: int = 1, **changes: object) -> NewMessage:
    message = NewMessage(
        id=f"m{number}",
        mailbox_id="mb1",
        fingerprint=f"fp{number}",
        message_id=f"{number}@candidates.example",
        direction="in",
        kind="reply",
        at=NOW + timedelta(minutes=number),
        sender="cleo@candidates.example",
        recipients=("rita@agency.test", "omar@agency.test"),
        subject="Re: A role",
        in_reply_to=("first@agency.test",),
        references=("first@agency.test", "second@agency.test"),
        thread_id=None,
        text="Yes, gladly.",
    )
    return replace(message, **changes)  # type: ignore[arg-type]


def make_activity(number: int = 1, **changes: object) -> NewActivity:
    activity = NewActivity(
        person_id="p1",
        fingerprint=f"fp{number}",
        message_row_id=f"m{number}",
        direction="in",
        kind="reply",
        rule="in_reply_to",
        at=NOW + timedelta(minutes=number),
    )
    return replace(activity, **changes)  # type: ignore[arg-type]


async def a_person_and_a_mailbox(uow: UnitOfWork) -> None:
    await uow.mailboxes.add(make_mailbox())
    await uow.people.add_many([("p1", make_person())], NOW)


async def test_a_message_seen_twice_is_recorded_once(store: SqlStore) -> None:
    async with store.write("T1") as uow:
        await uow.mailboxes.add(make_mailbox())
        inbox = await uow.folders.ensure("mb1", "INBOX", "inbox")
        first = [SeenMessage(uid, bytes(32)) for uid in range(1, 301)]
        assert await uow.messages.record_seen(inbox.id, 7, first, NOW) == 300
        assert await uow.messages.record_seen(inbox.id, 7, [*first[290:], SeenMessage(301, b"x")], NOW) == 1
        assert await uow.messages.record_seen(inbox.id, 8, first[:5], NOW + timedelta(days=1)) == 5
        assert await uow.messages.record_seen(inbox.id, 8, [], NOW) == 0
        assert await uow.messages.forget_seen_before(NOW + timedelta(hours=1)) == 301


async def test_messages_and_activities_are_inserted_once(store: SqlStore) -> None:
    async with store.write("T1") as uow:
        await a_person_and_a_mailbox(uow)
        assert await uow.messages.add([make_message(1), make_message(2)]) == {"fp1", "fp2"}
        assert await uow.messages.add_activities([make_activity(1), make_activity(2)]) == {("p1", "fp1"), ("p1", "fp2")}
    async with store.write("T1") as uow:
        assert await uow.messages.add([make_message(2), make_message(3)]) == {"fp3"}
        assert await uow.messages.add_activities([make_activity(2), make_activity(3)]) == {("p1", "fp3")}
        assert await uow.messages.add([]) == set()


async def test_a_stream_shows_the_newest_first_with_mailbox_and_campaign(store: SqlStore) -> None:
    async with store.write("T1") as uow:
        await a_person_and_a_mailbox(uow)
        await uow.campaigns.add(make_campaign())
        await uow.messages.add([make_message(1), make_message(2, direction="out", kind="own")])
        second = make_activity(2, direction="out", kind="own", campaign_id="c1", enrollment_id="e1")
        await uow.messages.add_activities([make_activity(1), second])
    async with store.read("T1") as uow:
        newest, oldest = await uow.messages.stream("p1")
        assert (newest.direction, newest.campaign, newest.at) == (
            "out",
            "Backend engineers",
            NOW + timedelta(minutes=2),
        )
        assert (oldest.text, oldest.mailbox, oldest.rule, oldest.campaign) == (
            "Yes, gladly.",
            "rita@agency.test",
            "in_reply_to",
            None,
        )
        assert await uow.messages.stream("p1", limit=1) == [newest]


async def test_a_message_read_again_under_a_new_id_reaches_the_stream_of_somebody_new(store: SqlStore) -> None:
    """After a UIDVALIDITY change the whole folder is read again; who was imported since gets the old mail's line."""
    async with store.write("T1") as uow:
        await a_person_and_a_mailbox(uow)
        await uow.messages.add([make_message(1)])
    async with store.write("T1") as uow:
        await uow.people.add_many([("p2", make_person("second@candidates.example"))], NOW)
        assert await uow.messages.add([make_message(1, id="m1-again")]) == set()
        again = make_activity(1, person_id="p2", message_row_id="m1-again")
        assert await uow.messages.add_activities([again]) == {("p2", "fp1")}
    async with store.read("T1") as uow:
        assert [line.text for line in await uow.messages.stream("p2")] == ["Yes, gladly."]


async def test_hostile_text_is_stored_without_harm(store: SqlStore) -> None:
    """NUL and lone surrogates, which PostgreSQL and UTF-8 refuse, become the replacement character."""
    hostile = "a\x00b\ud800c \U0001f600"
    async with store.write("T1") as uow:
        await a_person_and_a_mailbox(uow)
        message = make_message(1, subject=hostile, text=hostile, recipients=(hostile,), defects=("bad\x00",), raw=b"\0")
        await uow.messages.add([message])
        await uow.messages.add_activities([make_activity(1)])
    async with store.read("T1") as uow:
        (line,) = await uow.messages.stream("p1")
        assert line.text == line.subject == "a\ufffdb\ufffdc \U0001f600"


async def test_people_are_found_by_their_addresses(store: SqlStore) -> None:
    person = make_person("cleo@candidates.example", make_address("Cleo@Work.example", "work", primary=False))
    async with store.write("T1") as uow:
        await uow.people.add_many([("p1", person), ("p2", make_person("dan@candidates.example"))], NOW)
    async with store.read("T1") as uow:
        keys = [f"nobody{n}@candidates.example" for n in range(12_000)]
        known = {"cleo@work.example", "dan@candidates.example"}
        assert await uow.people.ids_by_keys([*keys, *known]) == {
            "cleo@work.example": "p1",
            "dan@candidates.example": "p2",
        }
        found = await uow.people.by_address("cleo@work.example")
        assert found == Person(
            "p1",
            "T1",
            "Cleo",
            "Candidate",
            "+44 20 7946 0000",
            "Europe/London",
            NOW,
            person.addresses,
            {"company": "Initech"},
        )
        assert set(await uow.people.get_many({"p1", "p2", "p3"})) == {"p1", "p2"}
        assert await uow.people.by_address("nobody@candidates.example") is None
        assert await uow.people.count() == 2


async def test_an_address_belongs_to_one_person(store: SqlStore) -> None:
    async with store.write("T1") as uow:
        await uow.people.add_many([("p1", make_person())], NOW)
        for attempt in (
            uow.people.add_many([("p2", make_person())], NOW),
            uow.people.add_many([("p2", make_person("x@b.test")), ("p3", make_person("x@b.test"))], NOW),
        ):
            with pytest.raises(RefusedError) as refused:
                await attempt
            assert refused.value.reason == "address_taken"
        await uow.people.add_many([("p2", make_person("dan@candidates.example"))], NOW)
        with pytest.raises(RefusedError):
            await uow.people.add_address("p2", make_address("cleo@candidates.example"))
        await uow.people.add_address("p1", make_address("cleo@candidates.example"))
        assert await uow.people.count() == 2


async def test_addresses_come_and_go(store: SqlStore) -> None:
    async with store.write("T1") as uow:
        await uow.people.add_many([("p1", make_person())], NOW)
        await uow.people.add_address("p1", make_address("cleo@work.example", "work", primary=False))
        assert not await uow.people.remove_address("p1", "nobody@candidates.example")
        assert await uow.people.remove_address("p1", "cleo@candidates.example")
        person = await uow.people.get("p1")
        assert person is not None
        assert [one.address for one in person.addresses] == ["cleo@work.example"]


async def test_an_import_fills_and_replaces_what_it_names(store: SqlStore) -> None:
    """Empty values change nothing, addresses are only added, the named primary takes over."""
    async with store.write("T1") as uow:
        await uow.people.add_many([("p1", make_person())], NOW)
        changes = NewPerson(
            first_name="Cleopatra",
            last_name="",
            phone="",
            timezone="Europe/Paris",
            addresses=(make_address("cleo@work.example", "work", primary=True),),
            fields={"city": "Paris", "company": ""},
        )
        await uow.people.update("p1", changes, NOW)
        person = await uow.people.get("p1")
    assert person is not None
    assert (person.name, person.phone, person.timezone) == ("Cleopatra Candidate", "+44 20 7946 0000", "Europe/Paris")
    assert person.fields == {"company": "Initech", "city": "Paris"}
    assert [(one.key, one.primary) for one in person.addresses] == [
        ("cleo@candidates.example", False),
        ("cleo@work.example", True),
    ]


async def test_an_import_that_claims_anothers_address_changes_nothing(store: SqlStore) -> None:
    async with store.write("T1") as uow:
        people = [("p1", make_person()), ("p2", make_person("dan@candidates.example"))]
        await uow.people.add_many(people, NOW)
    with pytest.raises(RefusedError):
        async with store.write("T1") as uow:
            await uow.people.update("p2", make_person(first_name="Thief"), NOW)
    async with store.read("T1") as uow:
        person = await uow.people.get("p2")
        assert person is not None
        assert person.first_name == "Cleo"
