"""The product as its operator runs it: a process of its own, told by environment variables and its command line."""

from __future__ import annotations

import asyncio
import contextlib
import json
import signal
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, TypeVar

import aiohttp

from sandbox.demo import product_environment
from sandbox.mail import MailHost
from sandbox.mail.accounts import MailHostConfig
from sandbox.slack import SlackSandbox
from sandbox.slack.config import load_manifest
from sandbox.slack.model import Message
from tests.ports import held_port

ROOT = Path(__file__).parents[2]
PROGRAM = ROOT / "app.py"
READY_WITHIN = 90.0
PATIENCE = 60.0
LOOK_EVERY = 0.1
# Times of the real world are too long for a test.
QUICK = {
    "spacing_min_s": "0",
    "spacing_max_s": "0",
    "settle_s": "0.5,1,1.5",
    "poll_sent_s": "1",
    "retry_first_s": "0.1",
    "retry_most_s": "1",
    "alert_after_s": "0",
    # Limits and brakes have tests of their own.
    "mailbox_first_days": "0",
    "mailbox_daily": "100000",
    "brake_mailbox_percent": "0",
    "brake_campaign_percent": "0",
    # An answer from a machine changes nothing here; what it may hold back has tests of its own.
    "out_of_office": "log",
}
# With these granted a post whose answer was lost is looked up before it is repeated.
HISTORY_SCOPES = frozenset({"channels:history", "groups:history", "im:history"})

Found = TypeVar("Found")


@dataclass(frozen=True, slots=True)
class Answer:
    """What a command left behind."""

    code: int
    out: str
    err: str

    @property
    def document(self) -> Any:
        """The one JSON document on standard output."""
        return json.loads(self.out)


async def pause(seconds: float) -> None:
    """Lets time pass where there is no event of ours to wait for."""
    await asyncio.sleep(seconds)


async def until(found: Callable[[], Awaitable[Found]], what: str, *, within: float = PATIENCE) -> Found:
    """Asks the outside of the product again and again, and returns the first answer that is true.

    Fails after ``within`` seconds, saying what was missing and what the last answer was.
    """
    last: object = None
    try:
        async with asyncio.timeout(within):
            while not (last := await found()):  # another process: nothing here could wake us
                await pause(LOOK_EVERY)
    except TimeoutError:
        raise AssertionError(f"not within {within:g} s: {what}; last seen: {last!r:.2000}") from None
    return last


@dataclass
class Product:
    """One installation: its environment and folder, and the process that serves while there is one.

    ``startups`` are the seconds from each start to ready; ``role`` is what it serves, where not everything.
    """

    environment: Mapping[str, str]
    folder: Path
    role: str = "all"
    startups: list[float] = field(default_factory=list)
    process: asyncio.subprocess.Process | None = None

    @property
    def url(self) -> str:
        return self.environment["RETHREAD_PUBLIC_URL"]

    @property
    def log(self) -> str:
        """What every process of this installation has written so far."""
        path = self.folder / "serve.log"
        return path.read_text(errors="replace") if path.exists() else ""

    # The serving process

    async def launch(self) -> None:
        """Starts ``serve`` without waiting for it."""
        with (self.folder / "serve.log").open("ab") as log:
            self.process = await asyncio.create_subprocess_exec(
                sys.executable,
                str(PROGRAM),
                *("serve", "--role", self.role),
                env=dict(self.environment),
                cwd=self.folder,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    async def start(self) -> None:
        """Starts ``serve`` and waits until it is ready."""
        began = time.monotonic()
        await self.launch()
        await self.wait_ready()
        self.startups.append(time.monotonic() - began)

    async def wait_ready(self) -> None:
        """Until /readyz answers 200. Fails where the process ends or the time is over."""

        async def ready() -> bool:
            assert self.process is not None
            assert self.process.returncode is None, f"serve ended with {self.process.returncode}\n{self.log[-4_000:]}"
            with contextlib.suppress(aiohttp.ClientError):
                async with session.get(f"{self.url}/readyz") as answer:
                    return answer.status == 200
            return False

        async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=15)) as session:
            await until(ready, f"{self.url}/readyz says 200", within=READY_WITHIN)

    async def kill(self) -> None:
        """SIGKILL, at once and without a word."""
        if self.process is not None and self.process.returncode is None:
            self.process.send_signal(signal.SIGKILL)
            await self.process.wait()

    async def terminate(self) -> tuple[int, float]:
        """SIGTERM; the exit status and the seconds until it came."""
        assert self.process is not None
        began = time.monotonic()
        self.process.send_signal(signal.SIGTERM)
        async with asyncio.timeout(READY_WITHIN):
            code = await self.process.wait()
        return code, time.monotonic() - began

    async def metric(self, name: str) -> float:
        """One figure of /metrics, as it is now."""
        async with aiohttp.ClientSession() as session, session.get(f"{self.url}/metrics") as answer:
            lines = (await answer.text()).splitlines()
        return float(next(line.rpartition(" ")[2] for line in lines if line.partition(" ")[0] == name))

    @contextmanager
    def beside(self, name: str, role: str) -> Iterator[Product]:
        """Another process on the same database, with a port and a log of its own."""
        folder = self.folder / name
        folder.mkdir()
        with held_port() as port:
            yield Product({**self.environment, **listening_at(port)}, folder, role)

    # The command line

    async def run(self, *words: str, stdin: str = "", environment: Mapping[str, str] | None = None) -> Answer:
        """One command as it is; its exit status is the caller's business."""
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            str(PROGRAM),
            *words,
            env=dict(self.environment if environment is None else environment),
            cwd=self.folder,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        try:
            async with asyncio.timeout(120):
                out, err = await process.communicate(stdin.encode())
        except TimeoutError:
            raise AssertionError(f"{' '.join(words)} did not end within 120 s") from None
        finally:  # also where the test gives up meanwhile
            if process.returncode is None:
                process.kill()
                await process.wait()
        return Answer(process.returncode or 0, out.decode(), err.decode())

    async def ask(self, *words: str, stdin: str = "") -> Any:
        """One command with ``--json`` that must succeed; the document it printed."""
        answer = await self.run(*words, "--json", stdin=stdin)
        assert answer.code == 0, f"{' '.join(words)}: exit {answer.code}: {answer.err or answer.out}"
        return answer.document

    async def refused(self, *words: str, code: int = 1, stdin: str = "") -> str:
        """One command that must fail with this exit status; its words. Standard output stays empty."""
        answer = await self.run(*words, "--json", stdin=stdin)
        assert answer.code == code, f"{' '.join(words)}: exit {answer.code}: {answer.err or answer.out}"
        assert not answer.out.strip(), f"{' '.join(words)} refused, yet printed {answer.out[:500]}"
        return answer.err

    async def settings(self, **values: str) -> None:
        for key, value in values.items():
            await self.ask("settings", "set", key, value)

    async def prospects(self, campaign: str) -> dict[str, dict[str, Any]]:
        """The prospects of ``campaign status`` by address."""
        report = await self.ask("campaign", "status", campaign)
        return {row["email"]: row for row in report["prospects"]}

    def file(self, name: str, text: str) -> str:
        """Writes a file for a command; its path."""
        path = self.folder / name
        path.write_text(text, encoding="utf-8")
        return str(path)


@dataclass(frozen=True, slots=True)
class Stage:
    """Everything around the product, and the product."""

    slack: SlackSandbox
    host: MailHost
    product: Product

    async def connect(self, address: str = "rita@agency.test", owner: str = "U0RITA") -> Any:
        """``mailbox add`` with the address's password of the moment."""
        password = self.host.account(address).password
        words = mailbox_add(self.host, address, owner)
        return await self.product.ask(*words, stdin=f"{password}\n")

    async def green(self, address: str = "rita@agency.test") -> dict[str, Any]:
        async def lit() -> Any:
            listed = await self.product.ask("mailbox", "list")
            return next((one for one in listed if one["address"] == address and one["light"] == "green"), None)

        found: dict[str, Any] = await until(lit, f"{address} is green")
        return found


def mailbox_add(host: MailHost, address: str, owner: str) -> list[str]:
    """The words of ``mailbox add`` for a mailbox of the sandbox."""
    return [
        *("mailbox", "add", "--address", address, "--owner", owner, "--username", address, "--password-stdin"),
        *("--imap", host.imap_address, "--imap-tls", "none"),
        *("--smtp", host.smtp_address, "--smtp-tls", "none"),
    ]


@asynccontextmanager
async def stage(
    folder: Path,
    *,
    database_url: str | None = None,
    host: MailHostConfig | None = None,
    more_scopes: frozenset[str] = frozenset(),
    **environment: str,
) -> AsyncIterator[Stage]:
    """A Slack workspace, a mail host and the product that is not started yet; on failure its log is shown."""
    manifest = load_manifest(ROOT / "manifest.yml")
    app = replace(manifest, scopes=manifest.scopes | more_scopes)
    with held_port() as port:
        async with SlackSandbox(app) as slack, MailHost(host) as mail:
            told = product_environment(slack, mail, folder) | listening_at(port) | environment
            if database_url:
                told["DATABASE_URL"] = database_url
            product = Product(told, folder)
            try:
                yield Stage(slack, mail, product)
            except BaseException as error:
                error.add_note(f"serve.log ends with:\n{product.log[-6_000:]}")
                raise
            finally:
                await product.kill()


def listening_at(port: int) -> dict[str, str]:
    """Where the product listens, and where it is found."""
    return {"RETHREAD_PORT": str(port), "RETHREAD_PUBLIC_URL": f"http://127.0.0.1:{port}"}


def cards(slack: SlackSandbox, channel: str) -> list[tuple[str, str]]:
    """(key, everything it says) of every card in a channel, oldest first."""
    return [(key_of(one), words_of(one)) for one in slack.messages(channel) if key_of(one)]


def words_of(message: Message) -> str:
    """Everything that a message says."""
    return f"{message.text} {json.dumps(message.blocks)} {json.dumps(message.attachments)}"


def key_of(message: Message) -> str:
    """The key by which the product knows its card, from the message's metadata."""
    payload = (message.metadata or {}).get("event_payload") or {}
    return str(payload.get("key") or "")


def repeated(keys: Sequence[str]) -> list[str]:
    return sorted({key for key in keys if keys.count(key) > 1})
