"""Fetching autoconfig files over real HTTPS, from hosts that strangers name."""

from __future__ import annotations

import ssl
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

import pytest
import trustme
from aiohttp import web

from core.domain.autoconfig import MAX_BYTES
from core.errors import ServerRefusedError, UnreachableError
from core.mail.autoconfig import AutoconfigHttp

HOST = "autoconfig.agency.test"
PATH = "/mail/config-v1.1.xml"


@dataclass
class Names:
    """Every name is this machine; ``others`` say otherwise."""

    others: dict[str, list[str]] = field(default_factory=dict)
    down: bool = False

    async def mx(self, domain: str) -> list[tuple[int, str]]:
        return []

    async def txt(self, name: str) -> list[str]:
        return []

    async def srv(self, name: str) -> list[tuple[str, int]]:
        return []

    async def addresses(self, host: str) -> list[str]:
        if self.down:
            raise UnreachableError("SERVFAIL", layer="dns", host=host)
        return self.others.get(host, ["127.0.0.1"])


@dataclass(frozen=True)
class Answer:
    """What a path answers with, each time anew."""

    body: bytes = b""
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)

    def response(self) -> web.Response:
        return web.Response(body=self.body, status=self.status, headers=self.headers)


@dataclass
class Host:
    """A web server of a mail domain; ``answers`` are by path."""

    names: Names
    context: ssl.SSLContext
    port: int = 0
    answers: dict[str, Answer] = field(default_factory=dict)
    seen: list[web.Request] = field(default_factory=list)

    def client(self, *, allow_private: bool = True) -> AutoconfigHttp:
        return AutoconfigHttp(self.names, self.context, allow_private=allow_private, timeout=2.0, port=self.port)

    def redirects(self, path: str, to: str) -> None:
        self.answers[path] = Answer(status=302, headers={"Location": to})


@pytest.fixture
async def host() -> AsyncIterator[Host]:
    authority = trustme.CA()
    client, server = ssl.create_default_context(), ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.configure_trust(client)
    authority.issue_cert(HOST, "agency.test").configure_cert(server)
    made = Host(Names(), client)

    async def answer(request: web.Request) -> web.Response:
        made.seen.append(request)
        return made.answers.get(request.path, Answer(status=404)).response()

    application = web.Application()
    application.router.add_get("/{path:.*}", answer)
    runner = web.AppRunner(application, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0, ssl_context=server).start()
    made.port = int(runner.addresses[0][1])
    yield made
    await runner.cleanup()


def url(path: str = PATH, host: str = HOST) -> str:
    return f"https://{host}{path}"


async def test_a_file_is_fetched(host: Host) -> None:
    """By its name, with the query, and with nothing of ours but that."""
    host.answers[PATH] = Answer(b"<clientConfig/>")
    assert await host.client().fetch(url(f"{PATH}?emailaddress=rita%40agency.test")) == b"<clientConfig/>"
    (request,) = host.seen
    assert request.query["emailaddress"] == "rita@agency.test"
    assert "Cookie" not in request.headers


@pytest.mark.parametrize("status", [204, 404, 403, 500])
async def test_no_file_is_no_trouble(host: Host, status: int) -> None:
    host.answers[PATH] = Answer(status=status)
    assert await host.client().fetch(url()) is None


async def test_a_name_that_does_not_exist_is_no_trouble_but_dns_trouble_is(host: Host) -> None:
    """No answer about a name is said to be DNS trouble."""
    host.names.others[HOST] = []
    assert await host.client().fetch(url()) is None
    host.names.down = True
    with pytest.raises(UnreachableError) as trouble:
        await host.client().fetch(url())
    assert trouble.value.layer == "dns"


@pytest.mark.parametrize(
    "addresses",
    [["127.0.0.1"], ["10.0.0.1"], ["169.254.169.254"], ["::1"], ["192.0.2.1"], ["93.184.216.34", "127.0.0.1"]],
)
async def test_hosts_inside_are_not_connected_to(host: Host, addresses: list[str]) -> None:
    """One private address is enough; the answer looks as if there were no file."""
    host.answers[PATH] = Answer(b"inside")
    host.names.others[HOST] = addresses
    assert await host.client(allow_private=False).fetch(url()) is None
    assert host.seen == []


async def test_two_redirects_are_followed_and_not_a_third(host: Host) -> None:
    """Each to an https address of a proper name."""
    host.redirects(PATH, "/b")
    host.redirects("/b", url("/c", "agency.test"))
    host.answers["/c"] = Answer(b"there")
    assert await host.client().fetch(url()) == b"there"
    host.redirects("/c", "/d")
    with pytest.raises(ServerRefusedError, match="too many redirects"):
        await host.client().fetch(url())


@pytest.mark.parametrize(
    "target",
    [
        "http://agency.test/x",
        "https://127.0.0.1/x",
        "https://[::1]/x",
        "https://localhost/x",
        "https://agency.test:22/x",
        "https://user:secret@agency.test/x",
        "file:///etc/passwd",
        "https://agency.test/" + "x" * 3_000,
        "",
    ],
)
async def test_redirects_elsewhere_are_refused(host: Host, target: str) -> None:
    """Never plain HTTP, an address in place of a name, another port, credentials, another scheme, or nowhere new."""
    host.redirects(PATH, target)
    with pytest.raises(ServerRefusedError):
        await host.client().fetch(url())


async def test_a_redirect_into_the_inside_is_judged_again(host: Host) -> None:
    """The second name is looked up as the first was."""
    host.redirects(PATH, url("/x", "inside.agency.test"))
    host.names.others = {"inside.agency.test": []}
    assert await host.client().fetch(url()) is None


async def test_a_certificate_that_is_not_the_hosts_is_trouble_with_tls(host: Host) -> None:
    with pytest.raises(UnreachableError) as trouble:
        await host.client().fetch(url(host="autoconfig.other.test"))
    assert trouble.value.layer == "tls"


async def test_a_large_file_is_not_read_to_its_end(host: Host) -> None:
    host.answers[PATH] = Answer(b"x" * (MAX_BYTES + 1))
    with pytest.raises(ServerRefusedError, match="larger"):
        await host.client().fetch(url())


async def test_a_compressed_file_is_not_unpacked(host: Host) -> None:
    """What we did not ask for is not believed: a small file could unpack to gigabytes."""
    host.answers[PATH] = Answer(b"\x1f\x8b not gzip", headers={"Content-Encoding": "gzip"})
    assert await host.client().fetch(url()) == b"\x1f\x8b not gzip"
