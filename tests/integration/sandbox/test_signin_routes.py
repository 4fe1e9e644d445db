"""The control routes of the sign-in stand-ins, and how the sandbox hands all of it to the product."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiohttp.test_utils import TestClient, TestServer
from aiohttp.web import Application

from sandbox.__main__ import described, running
from sandbox.demo import product_environment
from sandbox.mail import MailHost
from sandbox.signin import SignInHost
from tests.integration.sandbox.signin_peer import RITA_GOOGLE, RITA_MICROSOFT

MANIFEST = Path(__file__).parents[3] / "manifest.yml"
Panel = TestClient[Any, Any]


@pytest.fixture
async def host() -> AsyncIterator[SignInHost]:
    async with MailHost() as mail, SignInHost(mail) as running_host:
        yield running_host


@pytest.fixture
async def panel(host: SignInHost) -> AsyncIterator[Panel]:
    application = Application()
    application.add_routes(host.routes())
    async with TestClient(TestServer(application)) as client:
        yield client


async def listed(panel: Panel, provider: str) -> dict[str, Any]:
    answer = await (await panel.get("/sandbox/signin")).json()
    return next(one for one in answer["providers"] if one["provider"] == provider)


def values(switches: list[dict[str, Any]]) -> dict[str, Any]:
    return {switch["name"]: switch["value"] for switch in switches}


async def test_apps_and_accounts_come_with_their_switches(panel: Panel) -> None:
    google = await listed(panel, "google")
    assert google["label"] == "Google"
    assert google["app"]["target"] == "app"
    assert values(google["app"]["switches"]) == {
        "secret_expired": False,
        "secret_wrong": False,
        "redirect_mismatch": False,
        "throttled": False,
        "down": False,
        "token_lifetime_s": "3600",
    }
    assert [account["address"] for account in google["accounts"]] == [RITA_GOOGLE]
    assert values(google["accounts"][0]["switches"])["signs_in_as"] == "self"


async def test_each_switch_says_how_it_is_drawn(panel: Panel) -> None:
    for provider in ("google", "microsoft"):
        told = await listed(panel, provider)
        for switch in [*told["app"]["switches"], *(s for one in told["accounts"] for s in one["switches"])]:
            assert {"name", "label", "help", "kind", "value"} <= switch.keys()
            assert ("options" in switch) == (switch["kind"] == "choice")
            assert switch["help"].endswith(".")


async def test_only_microsoft_has_the_switches_that_are_microsofts(panel: Panel) -> None:
    names = {one: set(values((await listed(panel, one))["accounts"][0]["switches"])) for one in ("google", "microsoft")}
    assert names["microsoft"] - names["google"] == {"mfa", "conditional_access"}
    assert names["google"] <= names["microsoft"]


async def test_a_switch_is_turned_and_the_answer_shows_it(panel: Panel, host: SignInHost) -> None:
    heard: list[str] = []
    host.on_change(lambda: heard.append("changed"))
    answer = await panel.post(f"/sandbox/signin/microsoft/{RITA_MICROSOFT}/mfa", json={"value": True})
    assert answer.status == 200
    assert (await answer.json())["ok"] is True
    assert values((await listed(panel, "microsoft"))["accounts"][0]["switches"])["mfa"] is True
    await panel.post("/sandbox/signin/google/app/token_lifetime_s", json={"value": "60"})
    assert values((await listed(panel, "google"))["app"]["switches"])["token_lifetime_s"] == "60"
    assert len(heard) == 2


@pytest.mark.parametrize(
    ("path", "body", "status", "error"),
    [
        ("yahoo/app/down", '{"value": true}', 404, "no_target"),
        ("google/nobody@sprout.test/revoked", '{"value": true}', 404, "no_target"),
        ("google/rita@meridian.test/revoked", '{"value": true}', 404, "no_target"),
        ("google/app/nonsense", '{"value": true}', 400, "bad_switch"),
        ("google/app/down", '{"value": "yes"}', 400, "bad_switch"),
        ("google/app/down", "{}", 400, "bad_json"),
        ("google/app/down", "[]", 400, "bad_json"),
        ("google/app/down", "{", 400, "bad_json"),
    ],
)
async def test_what_cannot_be_turned_is_refused_in_words(
    panel: Panel, path: str, body: str, status: int, error: str
) -> None:
    answer = await panel.post(f"/sandbox/signin/{path}", data=body, headers={"Content-Type": "application/json"})
    assert answer.status == status
    told = await answer.json()
    assert told["error"] == error
    assert told["message"]


async def test_the_sandbox_mounts_the_routes_and_tells_the_page(tmp_path: Path) -> None:
    """One page serves all; the product's environment holds every address and secret."""
    async with running(MANIFEST) as (slack, mail, signin, sms), aiohttp.ClientSession(slack.page_url) as http:
        async with http.ws_connect("/page/live?user=U0RITA") as live:
            async with http.post("/sandbox/signin/google/app/throttled", json={"value": True}) as answer:
                assert answer.status == 200
            while (await live.receive_json(timeout=30))["type"] != "signin_changed":
                pass
        told = described(slack, mail, signin, sms)
        environment = product_environment(slack, mail, tmp_path, signin)
    assert told["google"]["base"] == environment["GOOGLE_OAUTH_BASE"] == f"{signin.origin}/google"
    assert told["microsoft"]["authority"] == environment["MICROSOFT_AUTHORITY"] == f"{signin.origin}/common"
    for provider in ("google", "microsoft"):
        assert told[provider]["client_id"] == environment[f"{provider.upper()}_CLIENT_ID"]
        assert told[provider]["client_secret"] == environment[f"{provider.upper()}_CLIENT_SECRET"]
        assert told[provider]["ca_file"] == environment["RETHREAD_CA_FILE"]
        for service in ("IMAP", "SMTP"):
            assert environment[f"RETHREAD_{provider.upper()}_{service}"].rpartition(":")[2].isdigit()


async def test_secrets_differ_from_run_to_run_and_do_not_show_in_repr(host: SignInHost) -> None:
    async with MailHost() as mail, SignInHost(mail) as other:
        assert other.google.client_secret != host.google.client_secret
        assert other.google.client_id == host.google.client_id
    assert host.google.client_secret not in repr(host.google)
