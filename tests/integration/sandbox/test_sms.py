"""The text message provider's stand-in: its protocol, the API of its telephones, and the telephones on the page."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiohttp.test_utils import TestClient, TestServer
from aiohttp.web import Application
from playwright.async_api import expect

from sandbox.__main__ import described, running
from sandbox.demo import product_environment, sample_phones
from sandbox.sms import SmsHost
from tests.browser import running_browser

MANIFEST = Path(__file__).parents[3] / "manifest.yml"
MAYA = "+4685550101"
Panel = TestClient[Any, Any]


@pytest.fixture
async def sms() -> AsyncIterator[SmsHost]:
    async with SmsHost() as host:
        yield host


@pytest.fixture
async def panel(sms: SmsHost) -> AsyncIterator[Panel]:
    application = Application()
    application.add_routes(sms.routes())
    async with TestClient(TestServer(application)) as client:
        yield client


async def asked(sms: SmsHost, method: str = "POST", path: str = "", **form: str) -> tuple[int, dict[str, Any]]:
    """One request as Twilio's own library makes it."""
    proof = aiohttp.encode_basic_auth(sms.account_sid, sms.auth_token)
    url = f"{sms.url}/2010-04-01/Accounts/{sms.account_sid}/Messages{path}.json"
    fields = {"data": form} if method == "POST" else {"params": form}
    async with (
        aiohttp.ClientSession(headers={"Authorization": proof}) as http,
        http.request(method, url, **fields) as answer,  # type: ignore[arg-type]
    ):
        return answer.status, await answer.json()


async def texted(sms: SmsHost, body: str, to: str = MAYA) -> tuple[int, dict[str, Any]]:
    return await asked(sms, To=to, From=sms.number, Body=body)


async def test_a_text_is_queued_first_and_delivered_when_asked_again(sms: SmsHost) -> None:
    status, told = await texted(sms, "Hello")
    assert (status, told["status"], told["date_sent"], told["error_code"]) == (201, "queued", None, None)
    assert (told["to"], told["from"], told["body"], told["direction"]) == (MAYA, sms.number, "Hello", "outbound-api")
    _, again = await asked(sms, "GET", f"/{told['sid']}")
    assert again["status"] == "delivered"
    assert again["date_sent"] is not None


@pytest.mark.parametrize(
    ("form", "code"),
    [
        ({"From": "+12025550100", "Body": "x"}, 21604),
        ({"To": MAYA, "Body": "x"}, 21603),
        ({"To": MAYA, "From": "+12025550100"}, 21602),
        ({"To": "070", "From": "+12025550100", "Body": "x"}, 21211),
        ({"To": MAYA, "From": "+12025550199", "Body": "x"}, 21606),
        ({"To": MAYA, "From": "+12025550100", "Body": "x" * 1_601}, 21617),
    ],
)
async def test_a_wrong_request_is_refused_by_number(sms: SmsHost, form: dict[str, str], code: int) -> None:
    status, told = await asked(sms, **form)
    assert (status, told["code"], told["status"]) == (400, code, 400)
    assert told["more_info"].endswith(str(code))
    assert sms.texts == []


async def test_a_stranger_is_told_nothing(sms: SmsHost) -> None:
    url = f"{sms.url}/2010-04-01/Accounts/{sms.account_sid}/Messages.json"
    async with aiohttp.ClientSession() as http:
        for proof in ("", "Basic", "Basic ****", aiohttp.encode_basic_auth(sms.account_sid, "wrong")):
            async with http.get(url, headers={"Authorization": proof}) as answer:
                assert (answer.status, (await answer.json())["code"]) == (401, 20003)


async def test_the_list_comes_newest_first_and_in_pages(sms: SmsHost) -> None:
    for number in range(3):
        await texted(sms, f"Text {number}")
    await texted(sms, "Another", to="+4722550102")
    _, first = await asked(sms, "GET", To=MAYA, PageSize="2")
    assert [one["body"] for one in first["messages"]] == ["Text 2", "Text 1"]
    assert first["next_page_uri"].startswith(f"/2010-04-01/Accounts/{sms.account_sid}/Messages.json?")
    _, second = await asked(sms, "GET", To=MAYA, PageSize="2", Page="1")
    assert [one["body"] for one in second["messages"]] == ["Text 0"]
    assert second["next_page_uri"] is None


async def test_telephones_come_with_owners_texts_and_switches(panel: Panel, sms: SmsHost) -> None:
    sms.name_phones({"+46 8 555 0101": "Maya Lind", "+47 22 55 01 02": "Jonas Berg"})
    await texted(sms, "Hello", to="+4722550102")
    told = await (await panel.get("/sandbox/sms")).json()
    assert [(one["name"], len(one["texts"])) for one in told["phones"]] == [("Jonas Berg", 1), ("Maya Lind", 0)]
    assert told["total"] == 1
    for switch in told["switches"]:
        assert switch["value"] == switch["well"]
        assert switch["help"].endswith(".")
        assert ("options" in switch) == (switch["kind"] == "choice")


async def test_a_switch_is_turned_and_the_answer_shows_it(panel: Panel, sms: SmsHost) -> None:
    heard: list[str] = []
    sms.on_change(lambda: heard.append("changed"))
    answer = await panel.post("/sandbox/sms/switch", json={"name": "refuse", "value": "21408"})
    values = {one["name"]: one["value"] for one in (await answer.json())["switches"]}
    assert values["refuse"] == "21408"
    assert heard
    assert (await texted(sms, "Hello"))[1]["code"] == 21408


async def test_stop_and_start_are_answered_on_the_telephone(panel: Panel, sms: SmsHost) -> None:
    await panel.post("/sandbox/sms/stop", json={"number": MAYA, "value": True})
    assert (await texted(sms, "Hello"))[1]["code"] == 21610
    await panel.post("/sandbox/sms/stop", json={"number": MAYA, "value": False})
    assert (await texted(sms, "Hello"))[0] == 201


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("switch", {"name": "refuse", "value": "7"}),
        ("switch", {"name": "down", "value": "yes"}),
        ("switch", {"name": "nothing", "value": True}),
        ("switch", {"name": "down"}),
        ("switch", []),
        ("stop", {"number": 7, "value": True}),
        ("stop", {"number": MAYA, "value": "yes"}),
    ],
)
async def test_a_wrong_turn_is_refused_in_words(panel: Panel, path: str, body: object) -> None:
    answer = await panel.post(f"/sandbox/sms/{path}", json=body)
    assert answer.status == 400
    assert (await answer.json())["message"]


async def test_the_sandbox_hands_the_provider_to_the_product(tmp_path: Path) -> None:
    """And its page hears of each text."""
    async with running(MANIFEST) as (slack, mail, signin, sms), aiohttp.ClientSession(slack.page_url) as http:
        async with http.ws_connect("/page/live?user=U0RITA") as live:
            await texted(sms, "Hello")
            while (await live.receive_json(timeout=30))["type"] != "sms_changed":
                pass
        told = described(slack, mail, signin, sms)["sms"]
        environment = product_environment(slack, mail, tmp_path, signin, sms)
        assert "TWILIO_FROM" not in product_environment(slack, mail, tmp_path, signin)
    assert environment["TWILIO_API_URL"] == told["url"] == sms.url
    assert environment["TWILIO_ACCOUNT_SID"] == told["account_sid"]
    assert environment["TWILIO_AUTH_TOKEN"] == told["auth_token"]
    assert environment["TWILIO_FROM"] == told["number"]


@pytest.mark.browser
async def test_a_person_reads_a_text_and_breaks_the_provider(tmp_path: Path) -> None:
    """What a candidate sees is one click away."""
    async with (
        running(MANIFEST) as (slack, _mail, _signin, sms),
        running_browser() as browser,
    ):
        sms.name_phones(sample_phones())
        page = await browser.new_page(viewport={"width": 1280, "height": 900}, locale="en-GB")
        faults: list[str] = []
        page.on("pageerror", lambda error: faults.append(str(error)))
        await page.goto(slack.page_url)
        toggle = page.get_by_test_id("phones-toggle")
        await expect(toggle).to_contain_text("Phones")
        await texted(sms, "Hi Maya <b>& co</b>,\nfifteen minutes this week?")
        await expect(toggle.locator(".badge")).to_have_text("1")
        await toggle.click()
        await page.get_by_test_id(f"phone-{MAYA}").click()
        await expect(page.get_by_test_id("phone-texts")).to_contain_text("Hi Maya <b>& co</b>,")
        await texted(sms, "And another one.")
        await expect(page.get_by_test_id("phone-texts").locator("li")).to_have_count(2)
        await page.screenshot(path=tmp_path / "phone.png")
        await page.get_by_test_id("switch-sms-stop").check()
        await sms.wait_until(lambda: MAYA in sms.stopped)
        await page.get_by_test_id("phones-back").click()
        await expect(page.get_by_test_id(f"phone-{MAYA}")).to_contain_text("STOP")
        await page.get_by_test_id("switch-sms-refuse").select_option("21408")
        await sms.wait_until(lambda: sms.switches["refuse"] == "21408")
        await page.screenshot(path=tmp_path / "phones.png")
        await page.get_by_test_id("mail-panel-toggle").click()
        await expect(page.locator("#phones")).to_be_hidden()
        await toggle.click()
        await expect(page.locator("#mail")).to_be_hidden()
        await expect(page.get_by_test_id("switch-sms-refuse")).to_have_value("21408")
        assert faults == []
