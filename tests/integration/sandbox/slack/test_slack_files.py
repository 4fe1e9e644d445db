"""The stand-in's uploads as the real SDK meets them: announced, sent, completed, and shown to whom it may be."""

import io

import aiohttp
import pytest
from PIL import Image
from slack_sdk.errors import SlackApiError

from tests.integration.sandbox.slack.test_slack_web_api import refusal

CHANNEL = "C0ALERTS"


@pytest.fixture(autouse=True)
def _may_write_files(slack):
    slack.tokens.scopes |= {"files:write", "files:read"}


def picture(width=40, height=20) -> bytes:
    buffer = io.BytesIO()
    Image.new("RGB", (width, height), "#0072b2").save(buffer, "PNG")
    return buffer.getvalue()


async def status(method: str, url: str, **options) -> int:
    async with aiohttp.ClientSession() as http, http.request(method, url, **options) as response:
        return response.status


async def announced(client, content: bytes = b"12345") -> tuple[str, str]:
    answer = await client.files_getUploadURLExternal(filename="funnel.png", length=len(content))
    return answer["upload_url"], answer["file_id"]


async def test_pictures_arrive_in_one_message_with_title_size_and_alternative_text(slack, client):
    """files_upload_v2 goes the three steps for both at once."""
    uploads = [
        {"content": picture(), "filename": f"{name}.png", "title": name, "alt_txt": f"Picture of a {name}"}
        for name in ("funnel", "timeline")
    ]
    await client.files_upload_v2(channel=CHANNEL, file_uploads=uploads, initial_comment="Look")
    message = slack.messages(CHANNEL)[-1]
    assert message.text == "Look"
    assert [(one["title"], one["alt_txt"], one["mimetype"]) for one in message.files] == [
        ("funnel", "Picture of a funnel", "image/png"),
        ("timeline", "Picture of a timeline", "image/png"),
    ]
    assert (message.files[0]["original_w"], message.files[0]["original_h"]) == (40, 20)
    known = await client.files_info(file=message.files[0]["id"])
    assert known["file"]["shares"] == {"public": {CHANNEL: [{"ts": message.ts}]}}


@pytest.mark.parametrize("call", ["files_getUploadURLExternal", "files_completeUploadExternal"])
async def test_without_the_scope_nothing_is_taken(slack, client, call):
    """missing_scope names files:write."""
    slack.tokens.scopes.discard("files:write")
    arguments = {"filename": "x", "length": 1} if "getUpload" in call else {"files": [{"id": "F1"}]}
    with pytest.raises(SlackApiError) as caught:
        await getattr(client, call)(**arguments)
    assert (caught.value.response["error"], caught.value.response["needed"]) == ("missing_scope", "files:write")


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        ({"filename": "x", "length": 0}, "missing_argument"),
        ({"filename": "x", "length": "many"}, "invalid_arguments"),
        ({"filename": "", "length": 5}, "invalid_arguments"),
        ({"filename": "x", "length": 10**9}, "file_upload_size_restricted"),
        ({"filename": "x", "length": 5, "alt_txt": "a" * 1_001}, "alt_txt_too_large"),
    ],
)
async def test_an_announcement_is_checked(client, arguments, error):
    assert await refusal(client.files_getUploadURLExternal(**arguments)) == error


async def test_bytes_of_another_length_are_refused_and_the_file_does_not_come_to_be(client):
    url, file_id = await announced(client)
    assert await status("POST", url, data=b"1234") == 400
    assert await refusal(client.files_completeUploadExternal(files=[{"id": file_id}])) == "file_not_found"


async def test_an_address_takes_bytes_once_and_others_none(slack, client):
    url, _ = await announced(client)
    assert await status("POST", url, data=b"12345") == 200
    assert await status("POST", url, data=b"12345") == 404
    assert await status("POST", f"{slack.page_url}/upload/v1/guessed", data=b"12345") == 404


async def test_a_form_is_taken_as_well_as_raw_bytes(client):
    url, file_id = await announced(client)
    form = aiohttp.FormData()
    form.add_field("file", b"12345", filename="x.bin")
    assert await status("POST", url, data=form) == 200
    answer = await client.files_completeUploadExternal(files=[{"id": file_id, "title": "Five"}])
    assert answer["files"][0]["title"] == "Five"
    assert await refusal(client.files_completeUploadExternal(files=[{"id": file_id}])) == "file_not_found"


@pytest.mark.parametrize(
    ("where", "error"),
    [
        ({"channel_id": "C0NOWHERE"}, "channel_not_found"),
        ({"channel_id": "#mailbox-alerts"}, "channel_not_found"),
        ({"channel_id": "C0GENERAL"}, "not_in_channel"),
        ({"channel_id": "G0LEADS"}, "channel_not_found"),
        ({"channel_id": CHANNEL, "thread_ts": "1700000000.000100"}, "thread_not_found"),
    ],
)
async def test_a_file_is_shared_only_where_the_bot_may_write(slack, client, where, error):
    """And where it is refused, nothing is shared and the upload can still be completed."""
    url, file_id = await announced(client)
    await status("POST", url, data=b"12345")
    assert await refusal(client.files_completeUploadExternal(files=[{"id": file_id}], **where)) == error
    assert not any(message.files for message in slack.messages(CHANNEL))
    assert (await client.files_completeUploadExternal(files=[{"id": file_id}], channel_id=CHANNEL))["ok"]


async def test_only_who_sees_the_conversation_sees_the_picture(slack, client):
    direct = slack.direct_message("U0RITA")
    await client.files_upload_v2(channel=direct, content=picture(), filename="funnel.png", alt_txt="A funnel")
    file_id = slack.messages(direct)[-1].files[0]["id"]
    url = f"{slack.page_url}/page/file?file={file_id}&user="
    assert await status("GET", url + "U0RITA") == 200
    assert await status("GET", url + "U0OMAR") == 404
    assert await status("GET", url + "U0NOBODY") == 404


async def test_what_is_no_picture_is_only_ever_saved(slack, client):
    """A page of HTML named as a picture would run in the page's own origin."""
    await client.files_upload_v2(channel=CHANNEL, content=b"<script>alert(1)</script>", filename="funnel.png")
    file = slack.messages(CHANNEL)[-1].files[0]
    assert file["mimetype"] == "application/octet-stream"
    url = f"{slack.page_url}/page/file?file={file['id']}&user=U0RITA"
    async with aiohttp.ClientSession() as http, http.get(url) as response:
        assert response.content_type == "application/octet-stream"
        assert response.headers["Content-Disposition"].startswith("attachment")
        assert response.headers["X-Content-Type-Options"] == "nosniff"


@pytest.mark.parametrize("field", ["url_private", "url_private_download"])
async def test_the_app_reads_a_file_with_its_token_and_scope_only(slack, client, field):
    """Everybody else is led to a page to sign in."""
    await client.files_upload_v2(channel=CHANNEL, content=b"a,b", filename="people list.csv")
    url = slack.messages(CHANNEL)[-1].files[0][field]
    mine = {"Authorization": f"Bearer {slack.bot_token}"}
    assert await status("GET", url, headers=mine, allow_redirects=False) == 200
    for headers in ({}, {"Authorization": "Bearer xoxb-other"}):
        assert await status("GET", url, headers=headers, allow_redirects=False) == 302
    slack.tokens.scopes.discard("files:read")
    assert await status("GET", url, headers=mine, allow_redirects=False) == 302
