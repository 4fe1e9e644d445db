"""Receiving: each mail once, what it means for its prospect, and nothing kept of what concerns nobody."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from core.domain.enrollment import ProspectEvent
from core.ports.storage import OutboxItem
from tests.services.rig import ADA, CAMPAIGN, FILE, RITA, Rig, answer, complaint, email_of, report

OOO = ["Auto-Submitted: auto-replied"]


async def sent_one(rig: Rig, people: int = 1) -> bytes:
    """The first stage is out; returns it as it went to the first person."""
    await rig.open()
    await rig.launch(people)
    await rig.send_due()
    return next(raw for raw in rig.provider.accepted if email_of(1).encode() in raw)


async def stream(rig: Rig, number: int = 1) -> list[tuple[str, str, str]]:
    lines = (await rig.people.show(ADA, email_of(number))).activities
    return sorted((line.direction, line.kind, line.rule) for line in lines)


async def kept(rig: Rig) -> set[str]:
    """Texts of all messages on anybody's stream."""
    lines = (await rig.people.show(ADA, email_of(1))).activities
    return {line.text.strip() for line in lines}


async def test_a_reply_stops_the_rest_and_tells_both(rig: Rig) -> None:
    """Replied, the waiting stage cancelled, a card for the channel without and for the recruiter with the text."""
    rig.provider.arrive(answer(await sent_one(rig), text="Yes, Thursday."))
    await rig.read_mail()
    assert await rig.shows() == "Replied 2"
    assert await rig.states() == ["1.1 sent", "2.1 cancelled"]
    channel, owner = await rig.cards("reply:")
    assert (channel.destination, channel.kind) == ("C0REPLIES", "reply")
    assert "Thursday" not in str(channel.facts)
    assert (owner.destination, owner.facts["excerpt"]) == ("user:U0RITA", "Yes, Thursday.")
    assert channel.facts["stopped"] is True
    assert await stream(rig) == [("in", "reply", "exact_address"), ("out", "own", "exact_address")]


async def test_reading_again_changes_nothing(rig: Rig) -> None:
    """The same pass twice: one line, one card, one event."""
    rig.provider.arrive(answer(await sent_one(rig)))
    await rig.read_mail()
    before = (await rig.events(), [card.version for card in await rig.cards()], await stream(rig))
    await rig.read_mail()
    assert (await rig.events(), [card.version for card in await rig.cards()], await stream(rig)) == before


async def test_a_new_uidvalidity_logs_nothing_twice(rig: Rig) -> None:
    """Every folder read again from the start under new numbers, and new mail among it still found."""
    first = await sent_one(rig)
    rig.provider.arrive(answer(first))
    await rig.read_mail()
    before = (await rig.events(), [card.version for card in await rig.cards()], await stream(rig))
    for folder in rig.provider.folders.values():
        folder.renumber()
    await rig.read_mail()
    assert (await rig.events(), [card.version for card in await rig.cards()], await stream(rig)) == before
    rig.provider.arrive(answer(first, text="One more thing", number=2))
    await rig.read_mail()
    assert len(await stream(rig)) == 3


async def test_one_reply_in_two_mailboxes_counts_once(rig: Rig) -> None:
    """Sent to Rita, Cc to Omar: one event, one card, and it still says that it stopped the campaign."""
    first = await sent_one(rig)
    await rig.connect("omar@agency.test", ADA, owner="U0OMAR")
    rig.provider.arrive(answer(first, headers=["Cc: omar@agency.test"]))
    await rig.read_mail()
    await rig.read_mail("omar@agency.test")
    assert (await rig.events()).count("reply") == 1
    channel, _ = await rig.cards("reply:")
    assert (channel.facts["stopped"], channel.version) == (True, 1)


async def test_the_same_mail_twice_in_one_folder_counts_once(rig: Rig) -> None:
    """A server's own copy of a copy."""
    raw = answer(await sent_one(rig))
    rig.provider.arrive(raw)
    rig.provider.arrive(raw)
    await rig.read_mail()
    assert (await rig.events()).count("reply") == 1


async def test_a_second_reply_is_told_and_changes_nothing(rig: Rig) -> None:
    """Replied stays; the channel hears of it, without the word that something was stopped."""
    first = await sent_one(rig)
    rig.provider.arrive(answer(first))
    await rig.read_mail()
    version = (await rig.prospect()).version
    rig.provider.arrive(answer(first, number=2))
    await rig.read_mail()
    assert (await rig.prospect()).version == version
    cards = [card for card in await rig.cards("reply:") if card.kind == "reply"]
    assert sorted(bool(card.facts["stopped"]) for card in cards) == [False, True]


async def test_a_reply_after_complete_is_logged_only(rig: Rig) -> None:
    """R220: the stream and a card, the status stays."""
    first = await sent_one(rig)
    await rig.act(ProspectEvent.FINISH)
    rig.provider.arrive(answer(first))
    await rig.read_mail()
    assert (await rig.prospect()).status.value == "Complete"
    assert (await rig.events())[-1] == "reply"
    assert len(await rig.cards("reply:")) == 2


@pytest.mark.parametrize(
    ("headers", "kind"),
    [
        (OOO, "auto_reply"),
        (["X-Autoreply: yes", "Precedence: bulk"], "auto_reply"),
        (["List-Id: <news.example>", "Precedence: list"], "list"),
    ],
)
async def test_what_a_machine_wrote_is_noted_and_stops_nothing(rig: Rig, headers: list[str], kind: str) -> None:
    """R221: the ledger has a line, the follow-up goes."""
    await rig.settings.set(ADA, "out_of_office", "log")
    rig.provider.arrive(answer(await sent_one(rig), headers=headers))
    await rig.read_mail()
    assert await rig.shows() == "Active 2"
    assert (await rig.events())[-1] == kind
    assert await rig.cards("reply:") == []
    assert await rig.follow_up() == 1


async def test_a_hard_bounce_marks_the_prospect_and_offers_retry(rig: Rig) -> None:
    """Bounced at the stage that came back; what waited is cancelled; the server's words stand on the card."""
    rig.provider.arrive(report(await sent_one(rig)))
    await rig.read_mail()
    assert await rig.shows() == "Bounced 1 invalid_recipient"
    assert await rig.states() == ["1.1 failed", "2.1 cancelled"]
    card = await rig.card("stage:")
    assert (card.facts["state"], card.facts["version"]) == ("failed", (await rig.prospect()).version)
    assert "5.1.1" in str(card.facts["server_text"])


async def test_a_bounce_of_somebody_who_replied_keeps_replied(rig: Rig) -> None:
    """The delivery is marked; the person stays Replied, without a card."""
    first = await sent_one(rig)
    rig.provider.arrive(answer(first))
    rig.provider.arrive(report(first))
    await rig.read_mail()
    assert await rig.shows() == "Replied 2"
    assert await rig.states() == ["1.1 failed", "2.1 cancelled"]
    assert await rig.cards("stage:") == []


async def test_a_delay_notice_is_logged_only_and_a_failure_beside_it_counts(rig: Rig) -> None:
    """Both in one batch, whichever comes first: neither hides the other."""
    first = await sent_one(rig, people=1)
    rig.provider.arrive(report(first, number=1))
    rig.provider.arrive(report(first, status="4.4.1", action="delayed", number=2))
    await rig.read_mail()
    assert (await rig.shows()).startswith("Bounced 1")


async def test_a_late_failure_notice_after_a_retry_does_not_repeat_what_arrived(rig: Rig) -> None:
    """Stage 1 comes back after stage 2 went: Retry repeats stage 1, then goes on with stage 3."""
    first = await sent_one(rig)
    await rig.follow_up()
    rig.provider.arrive(report(first, status="5.2.2"))
    await rig.read_mail()
    assert (await rig.shows()).startswith("Not Delivered 1")
    assert await rig.states() == ["1.1 failed", "2.1 sent", "3.1 cancelled"]
    await rig.act(ProspectEvent.RETRY)
    await rig.send_due()
    assert await rig.shows() == "Active 3"
    assert await rig.states() == ["1.1 failed", "1.2 sent", "2.1 sent", "3.1 cancelled", "3.2 queued"]


async def test_of_two_stages_that_came_back_the_first_is_tried_again(rig: Rig) -> None:
    """Bounce, second bounce, Retry: the thread begins at its beginning."""
    first = await sent_one(rig)
    await rig.follow_up()
    rig.provider.arrive(report(first, number=1))
    rig.provider.arrive(report(rig.provider.accepted[1], number=2))
    await rig.read_mail()
    assert (await rig.shows()).startswith("Bounced 1")
    await rig.act(ProspectEvent.RETRY, confirmed=True)
    await rig.send_due()
    assert await rig.shows() == "Active 2"
    assert await rig.states() == ["1.1 failed", "1.2 sent", "2.1 failed", "2.2 queued", "3.1 cancelled"]


async def test_skip_and_retry_after_a_bounce_keep_the_numbers(rig: Rig) -> None:
    """Not delivered, skipped, refused, retried: stage and series grow as they should."""
    first = await sent_one(rig)
    rig.provider.arrive(report(first, status="5.2.2"))
    await rig.read_mail()
    await rig.act(ProspectEvent.SKIP)
    assert await rig.shows() == "Active 2"
    assert await rig.states() == ["1.1 skipped", "2.1 cancelled", "2.2 queued"]
    rig.clock.pass_time(hours=1)
    await rig.read_mail()
    assert await rig.send_due() == 1
    assert await rig.shows() == "Active 3"


@pytest.mark.parametrize("ending", ["finish", "complaint"])
async def test_a_late_bounce_does_not_undo_a_final_act(rig: Rig, ending: str) -> None:
    """Finished by a person, or opted out: no bounce of the last stage brings back a Retry button."""
    await sent_one(rig)
    await rig.follow_up()

    async def finish() -> None:
        await rig.act(ProspectEvent.FINISH)

    rig.provider.on_wire = finish if ending == "finish" else None
    await rig.follow_up()
    last = rig.provider.accepted[-1]
    if ending == "complaint":
        rig.provider.arrive(complaint(last))
        await rig.read_mail()
    assert ending.replace("complaint", "opted_out") in await rig.events()
    rig.provider.arrive(report(last))
    await rig.read_mail()
    assert (await rig.prospect()).status.value == "Complete"
    assert await rig.cards("stage:") == []


async def test_a_complaint_ends_everything(rig: Rig) -> None:
    """Whoever reports us as spam gets nothing more (RFC 5965)."""
    rig.provider.arrive(complaint(await sent_one(rig)))
    await rig.read_mail()
    assert (await rig.prospect()).status.value == "Complete"
    assert await rig.states() == ["1.1 sent", "2.1 cancelled"]
    assert await rig.follow_up() == 0


async def test_the_last_stages_bounce_undoes_an_automatic_complete(rig: Rig) -> None:
    """The last mail never arrived: Bounced, with its card."""
    await sent_one(rig)
    await rig.follow_up()
    await rig.follow_up()
    rig.provider.arrive(report(rig.provider.accepted[-1]))
    await rig.read_mail()
    assert (await rig.shows()).startswith("Bounced 3")


async def test_mail_that_concerns_nobody_leaves_no_content(rig: Rig) -> None:
    """Only a hash and a number: no text, no address, no subject (R81)."""
    await rig.open()
    rig.provider.arrive(
        b"From: stranger@elsewhere.example\r\nTo: rita@agency.test\r\nSubject: secret plans\r\n"
        b"Message-ID: <x@elsewhere.example>\r\n\r\nvery secret\r\n"
    )
    rig.provider.arrive(report(b"Message-ID: <not-ours@elsewhere.example>\r\nSubject: secret plans\r\n\r\nx\r\n"))
    await rig.read_mail()
    async with rig.store.read("T1") as uow:
        folders = await uow.folders.list((await rig.mailboxes.find(ADA, "rita@agency.test")).id)
    assert {folder.name: folder.uidnext for folder in folders}["INBOX"] == 3
    database = rig.store.database.path  # type: ignore[attr-defined]
    for file in database.parent.glob("rethread.db*"):
        assert b"secret" not in file.read_bytes()


async def test_a_batch_is_all_or_nothing(rig: Rig) -> None:
    """A failure in the middle of storing leaves neither rows nor a moved checkpoint; the next pass has all of it."""
    first = await sent_one(rig)
    rig.provider.arrive(answer(first))
    cards = rig.sync.ingest.answers.progress.cards
    reply = cards.reply

    async def fail(*_args: object, **_facts: object) -> None:
        raise OSError("disk")

    cards.reply = fail  # type: ignore[method-assign]
    with pytest.raises(OSError, match="disk"):
        await rig.read_mail()
    assert await rig.shows() == "Active 2"
    cards.reply = reply  # type: ignore[method-assign]
    await rig.read_mail()
    assert await rig.shows() == "Replied 2"
    assert (await rig.events()).count("reply") == 1


HOSTILE: list[Callable[[bytes], bytes]] = [
    lambda raw: raw.replace(b"Yes, gladly.", b"a\x00b\xff\xfe\xed\xa0\x80"),
    lambda raw: raw.replace(b"Subject: Re:", b"Subject: \x00\xff=?utf-8?b?AAAA?= =?x?q?=00?="),
    lambda raw: raw.replace(b"Somebody", b'"a\x00\xff\\" =?utf-8?q?=00=0A?='),
    lambda raw: raw.replace(b"Message-ID: <answer", b"Message-ID: <\xff\x00 answer"),
    lambda raw: raw.replace(b"Message-ID: <answer-1@candidates.example>\r\n", b""),
    lambda raw: raw.replace(b"Tue, 01 Sep 2026", b"Tue, 99 Foo 9999"),
    lambda raw: raw.replace(b"charset=utf-8", b'charset="no such\x00"'),
    lambda raw: raw.replace(b"In-Reply-To:", b"References: \x00<\xff> \r\nIn-Reply-To:"),
    lambda raw: raw.replace(b"To: rita@agency.test", b"To: " + b"<\x00a@b>, " * 500),
]


@pytest.mark.parametrize("spoil", HOSTILE)
async def test_hostile_bytes_stop_neither_the_pass_nor_the_reply(
    rig_on_both: Rig, spoil: Callable[[bytes], bytes]
) -> None:
    """NUL, broken UTF-8, absurd dates and charsets: stored as far as it goes, on both databases, and the pass ends."""
    rig = rig_on_both
    first = await sent_one(rig)
    rig.provider.arrive(spoil(answer(first)))
    rig.provider.arrive(answer(first, number=2))
    await rig.read_mail()
    assert await rig.shows() == "Replied 2"
    assert (await rig.prospect()).status.value == "Replied"


async def test_a_reply_updates_the_card_of_the_stage_that_had_failed(rig: Rig) -> None:
    """Stage 2 failed, the person answers stage 1: the failed card says so and loses its buttons."""
    first = await sent_one(rig)
    await rig.follow_up()
    rig.provider.arrive(report(rig.provider.accepted[1], status="5.2.2"))
    await rig.read_mail()
    rig.provider.arrive(answer(first, number=5))
    await rig.read_mail()
    card: OutboxItem = await rig.card("stage:")
    assert card.facts["state"] == "replied"


async def test_a_colleagues_mail_in_the_thread_is_no_reply(rig: Rig) -> None:
    """Omar answers Rita's mail, both are ours: nothing stops."""
    first = await sent_one(rig)
    await rig.connect("omar@agency.test", ADA, owner="U0OMAR")
    rig.provider.arrive(answer(first, sender="omar@agency.test"))
    await rig.read_mail()
    assert await rig.shows() == "Active 2"


async def test_mail_of_a_removed_prospect_matches_the_person_only(rig: Rig) -> None:
    """Progress is gone (R134); the person's stream goes on."""
    first = await sent_one(rig)
    await rig.act(ProspectEvent.REMOVE)
    rig.provider.arrive(answer(first))
    await rig.read_mail()
    assert ("in", "reply", "exact_address") in await stream(rig)
    assert await rig.cards("reply:") == []


async def test_the_id_that_the_provider_gave_is_learned_from_sent(rig: Rig) -> None:
    """Follow-ups and answers use the id that the recipient got."""
    await rig.open()
    rig.provider.files_sent = False
    await rig.launch()
    await rig.send_due()
    (raw,) = rig.provider.accepted
    original = (await rig.deliveries())[0].message_id
    wire = raw.replace(
        f"Message-ID: <{original}>".encode(),
        f"Message-ID: <wire@provider.example>\r\nX-Google-Original-Message-ID: <{original}>".encode(),
    )
    rig.provider.folders["Sent"].add(wire, rig.clock.now())
    await rig.read_mail()
    assert (await rig.deliveries())[0].wire_message_id == "wire@provider.example"
    rig.provider.arrive(answer(wire))
    await rig.read_mail()
    assert await rig.shows() == "Replied 2"


async def test_a_campaign_in_which_nobody_waits_is_left_alone_by_old_mail(rig: Rig) -> None:
    """What came before we mailed anybody is history, not an answer."""
    await rig.open()
    await rig.import_people(1)
    old = f"From: {email_of(1)}\r\nTo: rita@agency.test\r\nSubject: Hello\r\nMessage-ID: <old@a.example>\r\n\r\nHi\r\n"
    rig.provider.arrive(old.encode())
    await rig.read_mail()
    await rig.campaigns.import_file(RITA, FILE)
    await rig.campaigns.enroll(RITA, CAMPAIGN, [email_of(1)])
    await rig.campaigns.start(RITA, CAMPAIGN)
    assert await rig.send_due() == 1
    assert await stream(rig) == [("in", "reply", "exact_address")]


async def test_a_mail_whose_sender_cannot_be_made_out_is_kept_whole_where_an_address_in_it_is_known(rig: Rig) -> None:
    """R81's ruling: nothing of a known person is lost to a broken header, and nothing of a stranger is kept."""
    await sent_one(rig)
    broken = f"From: \x01<<<\r\nSender: {email_of(1)}\r\nSubject: late\r\n\r\nStill here.\r\n"
    rig.provider.arrive(broken.encode())
    rig.provider.arrive(broken.replace(email_of(1), "stranger@nowhere.example").encode())
    await rig.read_mail()
    unreadable = [line for line in (await rig.people.show(ADA, email_of(1))).activities if line.direction == "in"]
    assert [line.rule for line in unreadable] == ["unreadable_header"]
    assert "Still here." in unreadable[0].text
