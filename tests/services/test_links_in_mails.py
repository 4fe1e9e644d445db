"""Mails with their links, from the letter to what becomes of each link."""

from __future__ import annotations

import email
import re
from email.message import Message
from email.policy import default
from typing import Any

import pytest

from core.domain.address import match_key
from core.domain.enrollment import ProspectEvent
from core.domain.tracked_links import Links
from core.domain.tracking_token import LinkKind, Token, TokenSigner
from core.ports.storage import CampaignFile, Suppression
from core.services.cards import CardWriter
from core.services.credentials import CredentialService
from core.services.engagement import MOST_OF_A_MAIL, EngagementService, Visit
from core.services.ingest import IngestService
from core.services.letters import LetterWriter
from core.services.metrics import MetricsService
from core.services.optouts import OptOutService
from core.services.outreach import OutreachService
from core.services.progress import Progress
from core.services.sending_health import SendingHealth
from core.services.signatures import SignatureService
from core.services.submission import Submission
from tests.services.rig import ADA, CAMPAIGN, FILE, RITA, Rig, answer, complaint, email_of, make_sync

SIGNER = TokenSigner(["a secret key of thirty-two characters or so"])
PUBLIC = "https://mail.agency.test"
CHROME = Visit("Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0 Safari/537.36")
TRACKED = FILE.replace("    body: Hi {{first_name}}\n", "    body: Hi {{first_name}}, see https://agency.test/role\n")


def engagement_of(rig: Rig) -> EngagementService:
    return EngagementService(rig.tools, SIGNER, OptOutService(rig.tools, Progress(rig.tools, CardWriter(rig.tools))))


def with_links(rig: Rig, public_url: str = PUBLIC, *, private: bool = False) -> None:
    """The engine's letters carry links from now on, and its reader knows them."""
    links = Links(SIGNER, public_url, private)
    progress = Progress(rig.tools, CardWriter(rig.tools))
    submission = Submission(rig.transport, CredentialService(rig.tools, {}))
    rig.outreach = OutreachService(
        rig.tools,
        submission,
        progress,
        SendingHealth(rig.tools, submission, rig.alerts),
        started_at=rig.clock.now(),
        letters=LetterWriter(links),
    )
    ingest = IngestService(rig.tools, progress, rig.outreach, links)
    rig.sync = make_sync(rig.tools, rig.connector, rig.transport, ingest, rig.alerts)


async def sent(rig: Rig, file: str = TRACKED, people: int = 1) -> list[Any]:
    await rig.launch(people, file)
    assert await rig.send_due() == people
    return [email.message_from_bytes(raw, policy=default) for raw in rig.provider.accepted]


def part(mail: Message, kind: str) -> str:
    body = mail.get_body((kind,))  # type: ignore[attr-defined]
    return str(body.get_content())


def token(text: str, kind: str) -> str:
    found = re.search(rf"https?://[^/\s\"<>]+/{kind}/([\w-]+)", text)
    assert found, f"no /{kind}/ link in {text}"
    return found[1]


async def noted(rig: Rig, service: EngagementService) -> list[tuple[str, str, bool]]:
    rig.clock.pass_time(seconds=3)
    await service.note()
    (delivery, *_) = await rig.deliveries()
    async with rig.store.read("T1") as uow:
        return sorted((one.kind, one.target, one.machine) for one in await uow.engagements.of_delivery(delivery.id))


async def blocked(rig: Rig, *addresses: str) -> dict[str, Suppression]:
    async with rig.store.read("T1") as uow:
        return await uow.suppressions.among([match_key(one) for one in addresses])


async def test_links_stand_in_the_html_part_alone(rig: Rig) -> None:
    """The text says what its author wrote; both ways to unsubscribe stand in the headers (RFC 8058)."""
    await rig.open()
    with_links(rig)
    (mail,) = await sent(rig)
    assert "see https://agency.test/role" in part(mail, "plain")
    assert PUBLIC not in part(mail, "plain")
    click = SIGNER.read(token(part(mail, "html"), "c"), LinkKind.CLICK)
    assert click is not None
    assert click.target == "https://agency.test/role"
    assert token(part(mail, "html"), "o")
    ways = re.findall(r"<([^>]+)>", mail["List-Unsubscribe"])
    assert [way.split(":")[0] for way in ways] == ["https", "mailto"]
    assert mail["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"


@pytest.mark.parametrize(
    ("url", "settings", "file", "tracked", "ways"),
    [
        ("http://mail.agency.test", {}, TRACKED, False, ["mailto"]),
        (PUBLIC, {"tracking": "off"}, TRACKED, False, ["https", "mailto"]),
        (PUBLIC, {"unsubscribe": "off"}, TRACKED, True, []),
        (PUBLIC, {}, f"{TRACKED}tracking: {{opens: false, clicks: false}}\n", False, ["https", "mailto"]),
        ("http://127.0.0.1:3000", {}, TRACKED, True, ["mailto"]),
    ],
)  # fmt: skip
async def test_what_may_be_tracked_and_offered(
    rig: Rig, url: str, settings: dict[str, str], file: str, tracked: bool, ways: list[str]
) -> None:
    """Workspace, campaign and public address must all allow it; one-click needs HTTPS."""
    await rig.open(**settings)
    with_links(rig, url, private=True)
    (mail,) = await sent(rig, file)
    assert (f"{url}/o/" in part(mail, "html"), f"{url}/c/" in part(mail, "html")) == (tracked, tracked)
    offered = re.findall(r"<([^>]+)>", mail["List-Unsubscribe"] or "")
    assert [way.split(":")[0] for way in offered] == ways
    assert ("List-Unsubscribe-Post" in mail) == ("https" in ways)


async def test_an_open_is_noted_once_and_moves_nobody(rig: Rig) -> None:
    """R175: neither how often nor by how many; opens never drive a state."""
    await rig.open()
    with_links(rig)
    service = engagement_of(rig)
    (mail,) = await sent(rig)
    before, events = await rig.shows(), await rig.events()
    rig.clock.pass_time(minutes=5)
    for _ in range(3):
        service.opened(token(part(mail, "html"), "o"), CHROME)
    assert service.clicked(token(part(mail, "html"), "c"), CHROME) == "https://agency.test/role"
    assert await noted(rig, service) == [("click", "https://agency.test/role", False), ("open", "", False)]
    assert (await rig.shows(), await rig.events()) == (before, events)


async def test_a_scanner_that_takes_every_link_is_a_machine(rig: Rig) -> None:
    """Seen before the first of its clicks is written down, because judging waits; the reader comes later."""
    await rig.open()
    with_links(rig)
    service = engagement_of(rig)
    two = TRACKED.replace("see https://agency.test/role", "https://a.test or https://b.test")
    (mail,) = await sent(rig, two)
    rig.clock.pass_time(minutes=5)
    links = re.findall(r"/c/([\w-]+)", part(mail, "html"))
    service.clicked(links[0], CHROME)
    rig.clock.pass_time(seconds=1)
    service.clicked(links[1], CHROME)
    assert await noted(rig, service) == [("click", "https://a.test", True), ("click", "https://b.test", True)]
    rig.clock.pass_time(minutes=5)
    service.clicked(links[1], CHROME)
    assert ("click", "https://b.test", False) in await noted(rig, service)
    figures = await MetricsService(rig.tools).campaign(RITA, CAMPAIGN)
    assert (figures.clicked, figures.clicked_machine, figures.stages[0].clicked) == (1, 0, 1)


async def test_a_flood_of_visits_to_one_mail_is_counted_up_to_a_bound_and_shuts_nobody_else_out(rig: Rig) -> None:
    """Each visit is judged by all others of its mail; once they are written down, the mail is counted again."""
    await rig.open()
    with_links(rig)
    service = engagement_of(rig)
    await sent(rig, people=2)
    (first, _), (second, _) = await rig.deliveries(1), await rig.deliveries(2)

    def click(delivery_id: str, number: int) -> None:
        link = SIGNER.write(Token(LinkKind.CLICK, "T1", delivery_id, f"https://{number}.test"))
        assert link is not None
        assert service.clicked(link, CHROME)

    for number in range(MOST_OF_A_MAIL + 10):
        click(first.id, number)
    click(second.id, 1)
    assert await service.note(everything=True) == MOST_OF_A_MAIL + 1
    click(first.id, MOST_OF_A_MAIL)
    assert await service.note(everything=True) == 1


async def test_what_a_removed_prospect_opens_is_nothing(rig: Rig) -> None:
    """Erased with the rest; the link itself goes on leading where it did."""
    await rig.open()
    with_links(rig)
    service = engagement_of(rig)
    (mail,) = await sent(rig)
    await rig.act(ProspectEvent.REMOVE)
    assert service.clicked(token(part(mail, "html"), "c"), CHROME) == "https://agency.test/role"
    assert await service.note(everything=True) == 0


async def test_bad_tokens_leave_nothing_behind(rig: Rig) -> None:
    """Whatever stands in the path."""
    await rig.open()
    service = engagement_of(rig)
    for _ in range(100):
        service.opened("nonsense", CHROME)
        assert service.clicked("nonsense", CHROME) is None
    assert await service.file("nonsense", CHROME) is None
    assert not await service.unsubscribe("nonsense", how="x")
    assert await service.note(everything=True) == 0


async def test_one_click_ends_every_campaign_for_the_person(rig: Rig) -> None:
    """Complete with the badge, in this campaign and in others; all of their addresses are blocked; twice is once."""
    await rig.open()
    with_links(rig)
    (mail, *_) = await sent(rig, people=2)
    await rig.people.add_address(RITA, email_of(1), "p1@work.example")
    await rig.campaigns.import_file(RITA, TRACKED.replace("name: Autumn", "name: Winter"))
    await rig.campaigns.enroll(RITA, "Winter", [email_of(1)])
    service = engagement_of(rig)
    link = token(str(mail["List-Unsubscribe"]), "u")
    assert service.may_unsubscribe(link)
    assert await rig.shows() == "Active 2"
    assert await service.unsubscribe(link, how="one click")
    events = await rig.events()
    assert await service.unsubscribe(link, how="one click")
    assert await rig.events() == events
    assert await rig.shows() == "Complete 2 unsubscribed"
    assert await rig.states() == ["1.1 sent", "2.1 cancelled"]
    assert set(await blocked(rig, email_of(1), "p1@work.example", email_of(2))) == {email_of(1), "p1@work.example"}
    page = await MetricsService(rig.tools).status(RITA, "Winter")
    assert page.prospects[0].reason_code == "unsubscribed"
    assert await rig.shows(2) == "Active 2"


async def test_a_link_outlives_its_prospect(rig: Rig) -> None:
    """Removed from the campaign, the person may still say no: the link holds the address."""
    await rig.open()
    with_links(rig)
    (mail,) = await sent(rig)
    await rig.act(ProspectEvent.REMOVE)
    assert await engagement_of(rig).unsubscribe(token(str(mail["List-Unsubscribe"]), "u"), how="the page")
    assert set(await blocked(rig, email_of(1))) == {email_of(1)}


async def test_a_mail_that_asks_is_honoured_and_is_no_reply(rig: Rig) -> None:
    """List-Unsubscribe by mailto: from any address, in a thread of ours or not."""
    await rig.open()
    with_links(rig, "http://mail.agency.test")
    (mail,) = await sent(rig)
    subject = str(mail["List-Unsubscribe"]).partition("subject=")[2].strip("<>").replace("%20", " ")
    raw = answer(rig.provider.accepted[0], sender="other@elsewhere.example")
    raw = re.sub(rb"Subject: [^\r]+", b"Subject: " + subject.encode(), raw)
    rig.provider.arrive(raw)
    await rig.read_mail()
    assert await rig.shows() == "Complete 2 unsubscribed"
    assert await rig.cards("reply:") == []
    assert set(await blocked(rig, email_of(1))) == {email_of(1)}


async def test_a_mail_with_a_made_up_token_is_nothing(rig: Rig) -> None:
    """Nobody unsubscribes somebody else."""
    await rig.open()
    with_links(rig)
    (mail,) = await sent(rig)
    raw = answer(rig.provider.accepted[0], sender="other@elsewhere.example", headers=["X-Note: none"])
    raw = re.sub(rb"Subject: [^\r]+", b"Subject: unsubscribe " + b"A" * 90, raw).replace(b"In-Reply-To", b"X-Was")
    rig.provider.arrive(raw)
    await rig.read_mail()
    assert await rig.shows() == "Active 2"
    assert mail["List-Unsubscribe"]


async def test_a_complaint_blocks_too(rig: Rig) -> None:
    """Feedback from the host (RFC 5965): the same end, told apart by its code."""
    await rig.open()
    with_links(rig)
    await sent(rig)
    rig.provider.arrive(complaint(rig.provider.accepted[0]))
    await rig.read_mail()
    assert await rig.shows() == "Complete 2 unsubscribed"
    assert (await blocked(rig, email_of(1)))[email_of(1)].code == "complaint"


async def test_the_signature_and_an_alias_are_the_mailboxs(rig: Rig) -> None:
    """R171: under both parts; From is the alias that the campaign names."""
    await rig.open()
    mailbox = await rig.mailboxes.find(ADA, "rita@agency.test")
    signatures = SignatureService(rig.tools)
    await signatures.set_signature(RITA, mailbox.id, "", "<p><b>Rita Reed</b><script>x</script><br>Agency</p>")
    await signatures.set_aliases(RITA, mailbox.id, ["rita.reed@agency.test"])
    with_links(rig)
    stage = '    from: rita.reed@agency.test\n    subject: "{{first_name}}, a role"'
    await rig.launch(1, TRACKED.replace('    subject: "{{first_name}}, a role"', stage), start=False)
    mailbox = await rig.mailboxes.find(ADA, "rita@agency.test")
    assert mailbox.signature_text == "Rita Reed\nAgency"
    assert mailbox.signature_html == "<p><b>Rita Reed</b><br>Agency</p>"
    assert mailbox.aliases == ("rita.reed@agency.test",)


def a_file(campaign_id: str, rig: Rig) -> CampaignFile:
    return CampaignFile(campaign_id, "jd.pdf", "application/pdf", 8, "0" * 64, rig.clock.now(), b"%PDF-1.7")


@pytest.mark.parametrize("counted", [False, True])
async def test_a_file_goes_along_or_as_a_link(rig: Rig, counted: bool) -> None:
    """Attached as it is; where downloads are counted, as a signed link in both parts."""
    await rig.open()
    with_links(rig)
    file = TRACKED.replace("    body: Hi", "    attachments: [jd.pdf]\n    body: Hi", 1)
    await rig.launch(1, file + ("tracking: {downloads: true}\n" if counted else ""), start=False)
    async with rig.store.write("T1") as uow:
        campaign = await uow.campaigns.by_name(CAMPAIGN)
        assert campaign is not None
        await uow.campaign_files.put(a_file(campaign.id, rig))
    await rig.campaigns.start(RITA, CAMPAIGN)
    await rig.send_due()
    mail: Any = email.message_from_bytes(rig.provider.accepted[0], policy=default)
    attached = [(one.get_filename(), one.get_content()) for one in mail.iter_attachments()]
    assert attached == ([] if counted else [("jd.pdf", b"%PDF-1.7")])
    if counted:
        service = engagement_of(rig)
        rig.clock.pass_time(minutes=5)
        assert token(part(mail, "plain"), "f") == token(part(mail, "html"), "f")
        found = await service.file(token(part(mail, "plain"), "f"), CHROME)
        assert found is not None
        assert found.content == b"%PDF-1.7"
        assert await noted(rig, service) == [("download", "jd.pdf", False)]


async def test_a_file_that_is_gone_fails_the_stage_by_name(rig: Rig) -> None:
    """Not delivered, with the file's name: nothing goes without what it promises."""
    await rig.open()
    with_links(rig)
    file = TRACKED.replace("    body: Hi", "    attachments: [jd.pdf]\n    body: Hi", 1)
    await rig.launch(1, file, start=False)
    async with rig.store.write("T1") as uow:
        campaign = await uow.campaigns.by_name(CAMPAIGN)
        assert campaign is not None
        await uow.campaign_files.put(a_file(campaign.id, rig))
    await rig.campaigns.start(RITA, CAMPAIGN)
    async with rig.store.write("T1") as uow:
        await uow.campaign_files.remove(campaign.id, "jd.pdf")
    assert await rig.send_due() == 0
    assert await rig.shows() == "Not Delivered 1 attachment_missing"
    prospect = await rig.prospect()
    assert prospect.reason is not None
    assert "jd.pdf" in prospect.reason.text
