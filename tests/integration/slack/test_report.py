"""/outreach report, typed in Slack: the figures as text, and two pictures for the conversation (R174..R183)."""

from __future__ import annotations

import io
from dataclasses import replace

import pytest
from PIL import Image

from bot.slack.slack_app import SlackFace
from core.domain.figures import Report
from sandbox.slack import Message, SlackSandbox
from tests.fakes.reports import FIGURES
from tests.fakes.services import FakeServices
from tests.integration.slack.test_commands import ask, said

CHANNEL = "C0REPLIES"
NAME = FIGURES.campaign


async def report(slack: SlackSandbox, channel: str = CHANNEL, text: str = f'report "{NAME}"') -> None:
    assert await slack.command("U0RITA", channel, "/outreach", text) == {"ok": True}


async def with_pictures(slack: SlackSandbox, channel: str) -> Message:
    return await slack.wait_message(channel, lambda message: bool(message.files))


async def only_for_rita(slack: SlackSandbox, words: str) -> str:
    return said(await slack.wait_ephemeral("U0RITA", lambda message: words in said(message)))


async def test_a_report_is_text_and_then_two_pictures_in_the_channel(
    slack: SlackSandbox, face: SlackFace, services: FakeServices
) -> None:
    """Two PNGs of full size, with titles and with their content in words; nothing more for the person alone."""
    await report(slack)
    pictures = await with_pictures(slack, CHANNEL)
    text = slack.messages(CHANNEL)[-2]
    assert f"Report: {NAME}" in said(text)
    assert [one["title"] for one in pictures.files] == ["Funnel", "Timeline"]
    assert "26 replied" in pictures.files[0]["alt_txt"]
    assert "2026-11-02 to 2026-11-13" in pictures.files[1]["alt_txt"]
    for one in pictures.files:
        kept = slack.files.get(one["id"])
        assert kept is not None
        with Image.open(io.BytesIO(kept.content or b"")) as image:
            assert (image.format, image.width) == ("PNG", 1_640)
    await face.settle()
    assert slack.ephemerals("U0RITA") == []
    assert services.reports is not None
    assert services.reports.asked == [("U0RITA", NAME)]


async def test_without_a_name_my_campaigns_are_summed_up_for_me_alone(slack: SlackSandbox, face: SlackFace) -> None:
    """Beyond R181."""
    before = len(slack.messages("C0ALERTS"))
    answer = await ask(slack, "report", command="/outreach")
    assert "Report: all your campaigns" in said(answer)
    assert "By stage" not in said(answer)
    assert len(slack.messages("C0ALERTS")) == before


async def test_where_the_app_may_not_upload_the_text_comes_and_the_scope_is_named(
    slack: SlackSandbox, face: SlackFace
) -> None:
    slack.tokens.scopes.discard("files:write")
    await report(slack)
    told = await only_for_rita(slack, "files:write")
    assert "manifest.yml" in told
    assert f"Report: {NAME}" in said(slack.messages(CHANNEL)[-1])


async def test_where_the_bot_is_not_in_the_channel_the_report_comes_as_a_direct_message(
    slack: SlackSandbox, face: SlackFace
) -> None:
    await report(slack, "G0LEADS")
    direct = slack.direct_message("U0RITA")
    assert len((await with_pictures(slack, direct)).files) == 2
    assert "/invite @Rethread" in await only_for_rita(slack, "direct messages")
    assert not any(message.by_bot for message in slack.messages("G0LEADS"))


async def test_a_layout_that_slack_refuses_goes_as_a_sentence(slack: SlackSandbox, face: SlackFace) -> None:
    """Tables are young; a workspace that does not have them yet gets the figures all the same."""
    slack.fail_next("chat.postMessage", "invalid_blocks")
    await report(slack)
    await with_pictures(slack, CHANNEL)
    assert "180 reached, 101 opened, 33 clicked, 9 downloaded, 26 replied, 7 failed" in slack.messages(CHANNEL)[-2].text


async def test_asked_for_in_a_direct_message_it_comes_there(slack: SlackSandbox, face: SlackFace) -> None:
    direct = slack.direct_message("U0RITA")
    await report(slack, direct)
    assert len((await with_pictures(slack, direct)).files) == 2


@pytest.mark.parametrize("method", ["files.getUploadURLExternal", "files.completeUploadExternal"])
@pytest.mark.parametrize(
    ("failure", "words"),
    [
        (429, "does not take the pictures just now"),
        ("lost", "did not say whether it has the pictures"),
        ("file_uploads_disabled", "Slack refused the pictures (file_uploads_disabled)"),
    ],
)
async def test_pictures_that_fail_leave_the_figures(
    slack: SlackSandbox, face: SlackFace, method: str, failure: str | int, words: str
) -> None:
    """And nothing is posted twice: an upload whose answer is lost is not tried again."""
    slack.fail_next(method, failure)
    await report(slack)
    assert "figures above are complete" in await only_for_rita(slack, words)
    assert f"Report: {NAME}" in "".join(said(message) for message in slack.messages(CHANNEL))
    assert len(slack.journal.calls(method)) == 1


async def test_a_campaign_from_which_nothing_went_has_no_pictures(
    slack: SlackSandbox, face: SlackFace, services: FakeServices
) -> None:
    assert services.reports is not None
    services.reports.report = Report(replace(FIGURES, recipients=0))
    await report(slack)
    assert "Nothing has been sent yet" in await only_for_rita(slack, "Report:")
    assert not any(message.files for message in slack.messages(CHANNEL))


async def test_a_campaign_that_is_not_there_is_told_to_the_person_alone(slack: SlackSandbox, face: SlackFace) -> None:
    before = len(slack.messages(CHANNEL))
    await report(slack, text="report nothing")
    assert "There is no campaign" in await only_for_rita(slack, "nothing")
    assert len(slack.messages(CHANNEL)) == before
