"""A mail's picture, links and way out, from the product's own server: as the candidate's programs use them."""

from __future__ import annotations

import email
import re
from collections.abc import AsyncIterator
from email.policy import default
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from tests.journeys.process import QUICK, Stage, stage, until

CAMPAIGN = "Backend engineers"
MAYA = "maya.lind@candidates.example"
JONAS = "jonas.berg@candidates.example"
BROWSER = {"User-Agent": "Mozilla/5.0 (X11; Linux x86_64; rv:127.0) Gecko/20100101 Firefox/127.0"}
PEOPLE = f"first_name,personal_email\nMaya,{MAYA}\nJonas,{JONAS}\n"
FILE = f"""name: {CAMPAIGN}
from: rita@agency.test
owner: U0RITA
stages:
  - kind: email
    subject: "{{{{first_name}}}}, a role"
    body: |
      Hi {{{{first_name}}}}, see https://role.agency.test/7?a=1&b=2

      No more mail: {{{{unsubscribe_link}}}}
  - kind: email
    delay: 1h
    body: Did you see my note, {{{{first_name}}}}?
"""


@pytest.fixture
async def around(tmp_path: Path) -> AsyncIterator[Stage]:
    async with stage(tmp_path) as one:
        await one.product.start()
        await one.product.settings(**QUICK)
        await one.connect()
        await one.green()
        await one.product.ask("people", "import", one.product.file("people.csv", PEOPLE))
        await one.product.ask("campaign", "import", one.product.file("campaign.yml", FILE))
        await one.product.ask("campaign", "enroll", CAMPAIGN, "--email", MAYA, JONAS)
        await one.product.ask("campaign", "start", CAMPAIGN)
        yield one


async def read(around: Stage, address: str) -> Any:
    accepted = await around.host.wait_accepted(lambda one: address in one.rcpts, timeout=60)
    return email.message_from_bytes(accepted.raw, policy=default)


def link(around: Stage, text: str, kind: str) -> str:
    found = re.search(rf"{re.escape(around.product.url)}/{kind}/[\w-]+", text)
    assert found, f"no /{kind}/ link in {text}"
    return found[0]


async def figures(around: Stage) -> dict[str, Any]:
    return (await around.product.ask("campaign", "status", CAMPAIGN))["metrics"]  # type: ignore[no-any-return]


async def test_what_a_reader_does_is_counted_and_the_way_out_is_taken(around: Stage) -> None:
    """Opened and clicked by programs at once (seconds after sending: machines), then unsubscribed by the button."""
    mail = await read(around, MAYA)
    page, text = mail.get_body(("html",)).get_content(), mail.get_body(("plain",)).get_content()
    assert "https://role.agency.test/7?a=1&b=2" in text
    async with aiohttp.ClientSession(headers=BROWSER) as browser:
        async with browser.get(link(around, page, "o")) as picture:
            assert (picture.status, picture.content_type) == (200, "image/gif")
        async with browser.head(link(around, page, "c"), allow_redirects=False) as click:
            assert (click.status, click.headers["Location"]) == (302, "https://role.agency.test/7?a=1&b=2")

        async def counted() -> bool:
            told = await figures(around)
            return (told["opened"] + told["opened_machine"], told["clicked_machine"]) == (1, 1)

        await until(counted, "one open and one click by a machine")
        assert (await around.product.prospects(CAMPAIGN))[MAYA]["status"] == "Active"

        way_out = link(around, text, "u")
        async with browser.get(way_out) as asked:
            assert asked.status == 200
        assert (await around.product.prospects(CAMPAIGN))[MAYA]["status"] == "Active"
        async with browser.post(way_out, data={"unsubscribe": "yes"}) as done:
            assert done.status == 200
    maya = (await around.product.prospects(CAMPAIGN))[MAYA]
    assert (maya["status"], maya["reason"]["code"]) == ("Complete", "unsubscribed")


async def test_a_mail_to_the_list_unsubscribe_address_is_the_way_out_too(around: Stage) -> None:
    """Without HTTPS the header offers a mail; the candidate's program sends it, and no reply is told."""
    mail = await read(around, JONAS)
    assert "List-Unsubscribe-Post" not in mail
    to, _, subject = str(mail["List-Unsubscribe"]).strip("<>").removeprefix("mailto:").partition("?subject=")
    raw = (
        f"From: Jonas Berg <{JONAS}>\r\nTo: {to}\r\nSubject: {subject.replace('%20', ' ')}\r\n"
        "Message-ID: <out-1@candidates.example>\r\nDate: Tue, 01 Sep 2026 09:30:00 +0000\r\n\r\n\r\n"
    )
    await around.host.deliver(raw.encode(), to)

    async def out() -> bool:
        jonas = (await around.product.prospects(CAMPAIGN))[JONAS]
        return bool(jonas["status"] == "Complete" and jonas["reason"]["code"] == "unsubscribed")

    await until(out, "Jonas is out")
