"""``python -m sandbox demo``: the sandbox and the real product against it, with sample people and a campaign.

The product runs as its operator runs it: its own process, told by environment variables and its command line.
"""

from __future__ import annotations

import asyncio
import contextlib
import csv
import os
import secrets
import signal
import socket
import sys
import tempfile
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import aiohttp

from sandbox.mail import MailHost
from sandbox.mail.accounts import AccountSeed
from sandbox.mail.sites import named
from sandbox.mail.tokens import TokenProvider
from sandbox.signin import SignInHost
from sandbox.slack import SlackSandbox
from sandbox.sms import SmsHost

SAMPLES = Path(__file__).with_name("samples")
READY_WITHIN = 30.0
CAMPAIGN = "Backend engineers, autumn"

# Times of the real world are too long for an afternoon's look.
QUICK_SETTINGS = {
    "spacing_min_s": "0.5",
    "spacing_max_s": "1.5",
    "settle_s": "2,4,6",
    "poll_sent_s": "3",
    "retry_first_s": "0.5",
    "retry_most_s": "3",
    "alert_tries": "2",
    "alert_after_s": "1",
    "login_retry_s": "60",
    "idle_renew_s": "3",
    "stuck_after_s": "6",
    "canary_every_s": "6",
    "canary_patience_s": "3",
    "storm_window_s": "60",
}
TOKEN_LIFE_S = 30.0

WORDS = """
Rethread is running. Open the workspace:

    {page_url}

Try this, by clicking:
  1. Type /mailbox connect     Open the page, connect {address} (password: {password})
  2. Type /outreach start      Start “{campaign}”
  3. Play the candidate        read a mail and answer it; the reply arrives in #outreach
  4. There, as Rita Reed       Break things: change the password, and watch #mailbox-alerts
  5. /mailbox connect again    {google} or {microsoft}: sign in by a button.
                               Google's page has a certificate of the sandbox's own: tell the browser to go on

Ctrl-C stops all of it.
"""


class DemoError(Exception):
    """The product did not start, or refused the samples."""


@dataclass(frozen=True, slots=True)
class Product:
    """The product's process and how its command line is called."""

    program: Path
    environment: Mapping[str, str]
    url: str

    async def command(self, *words: str) -> str:
        """Runs one command of the product's command line. Raises DemoError with its words."""
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            str(self.program),
            *words,
            env=dict(self.environment),
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        out, err = await process.communicate()
        if process.returncode:
            raise DemoError(f"{' '.join(words)}: {err.decode().strip() or out.decode().strip()}")
        return out.decode()

    async def wait_ready(self, process: asyncio.subprocess.Process) -> None:
        """Waits until /readyz says so. Raises DemoError where the process ends or takes too long."""
        async with aiohttp.ClientSession() as session, asyncio.timeout(READY_WITHIN):
            while True:
                if process.returncode is not None:
                    raise DemoError(f"the product ended with exit code {process.returncode}")
                with contextlib.suppress(aiohttp.ClientError):
                    async with session.get(f"{self.url}/readyz") as answer:
                        if answer.status == 200:
                            return
                await asyncio.sleep(0.05)


def product_environment(
    slack: SlackSandbox, mail: MailHost, folder: Path, signin: SignInHost | None = None, sms: SmsHost | None = None
) -> dict[str, str]:
    """Everything that the product is told from outside; without ``signin`` it knows no OAuth client, and without
    ``sms`` no account for text messages."""
    port = _free_port()
    own = {name: value for name, value in os.environ.items() if not name.upper().endswith("_PROXY")}
    return own | {
        "SLACK_BOT_TOKEN": slack.bot_token,
        "SLACK_APP_TOKEN": slack.app_token,
        "SLACK_SIGNING_SECRET": slack.signing_secret,
        "SLACK_API_URL": slack.api_url,
        "DATABASE_URL": f"sqlite+aiosqlite:///{folder / 'rethread.db'}",
        "RETHREAD_SECRET_KEYS": secrets.token_urlsafe(32),
        "RETHREAD_PORT": str(port),
        "RETHREAD_PUBLIC_URL": f"http://127.0.0.1:{port}",
        "RETHREAD_CA_FILE": str(mail.ca_file),
        "RETHREAD_DNS": mail.dns_address,
        "RETHREAD_ALLOW_PRIVATE_MAIL_HOSTS": "1",
        "RETHREAD_ALERT_CHANNEL": "C0ALERTS",
        "RETHREAD_REPLY_CHANNEL": "C0REPLIES",
        **(sign_in_environment(signin) if signin else {}),
        **(sms_environment(sms) if sms else {}),
    }


def sign_in_environment(signin: SignInHost) -> dict[str, str]:
    """What the product is told of Google and Microsoft: its OAuth clients, and where their servers stand.

    Google takes submissions by TLS from the first byte, Microsoft by STARTTLS alone.
    """
    google, microsoft = signin.mail.sites["google"], signin.mail.sites["microsoft"]
    return {
        "GOOGLE_CLIENT_ID": signin.google.client_id,
        "GOOGLE_CLIENT_SECRET": signin.google.client_secret,
        "GOOGLE_OAUTH_BASE": signin.google_base,
        "RETHREAD_GOOGLE_IMAP": named(google.imap_host, google.imaps_address),
        "RETHREAD_GOOGLE_SMTP": named(google.smtp_host, google.smtps_address),
        "MICROSOFT_CLIENT_ID": signin.microsoft.client_id,
        "MICROSOFT_CLIENT_SECRET": signin.microsoft.client_secret,
        "MICROSOFT_AUTHORITY": signin.microsoft_authority,
        "RETHREAD_MICROSOFT_IMAP": named(microsoft.imap_host, microsoft.imaps_address),
        "RETHREAD_MICROSOFT_SMTP": named(microsoft.smtp_host, microsoft.smtp_starttls_address),
    }


def sms_environment(sms: SmsHost) -> dict[str, str]:
    """What the product is told of Twilio."""
    return {
        "TWILIO_ACCOUNT_SID": sms.account_sid,
        "TWILIO_AUTH_TOKEN": sms.auth_token,
        "TWILIO_FROM": sms.number,
        "TWILIO_API_URL": sms.url,
    }


def system_environment(mail: MailHost) -> dict[str, str]:
    """The address that test letters come from: a mailbox of its own on the host."""
    system = mail.add_account(AccountSeed("noreply@rethread.example", "Rethread", "recruiter", secrets.token_hex(8)))
    return {
        "RETHREAD_SYSTEM_FROM": system.address,
        "RETHREAD_SYSTEM_SMTP": mail.smtp_address,
        "RETHREAD_SYSTEM_SMTP_TLS": "none",
        "RETHREAD_SYSTEM_SMTP_PASSWORD": system.password,
    }


@contextlib.asynccontextmanager
async def running_product(program: Path, environment: Mapping[str, str]) -> AsyncIterator[Product]:
    """The product's ``serve`` until the block ends; ready when the block begins."""
    product = Product(program, environment, environment["RETHREAD_PUBLIC_URL"])
    log = Path(environment["DATABASE_URL"].split(":///", 1)[1]).with_name("rethread.log")
    with log.open("wb") as stderr:
        process = await asyncio.create_subprocess_exec(
            sys.executable, str(program), "serve", env=dict(environment), stderr=stderr, start_new_session=True
        )
    try:
        await product.wait_ready(process)
        yield product
    except DemoError as error:
        raise DemoError(f"{error}\n{log.read_text(errors='replace')[-4_000:]}") from None
    finally:
        if process.returncode is None:
            process.send_signal(signal.SIGTERM)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(30):
                    await process.wait()


async def load_samples(product: Product) -> None:
    """Short times, a few people, and a campaign that waits for its start."""
    people = str(SAMPLES / "people.csv")
    await asyncio.gather(
        product.command("people", "import", people),
        product.command("campaign", "import", str(SAMPLES / "campaign.yml")),
        *(product.command("settings", "set", key, value) for key, value in QUICK_SETTINGS.items()),
    )
    await product.command("campaign", "enroll", CAMPAIGN, "--people", people)


async def demo(
    slack: SlackSandbox, mail: MailHost, signin: SignInHost, sms: SmsHost, stopped: asyncio.Event, program: Path
) -> None:
    """Runs until ``stopped`` is set."""
    sms.name_phones(sample_phones())
    rita = mail.account("rita@agency.test")
    for app in signin.registry.apps.values():
        app.token_lifetime_s = TOKEN_LIFE_S
    with tempfile.TemporaryDirectory(prefix="rethread-demo-") as folder:
        environment = product_environment(slack, mail, Path(folder), signin, sms) | system_environment(mail)
        async with running_product(program, environment) as product:
            await load_samples(product)
            words = WORDS.format(
                page_url=slack.page_url,
                address=rita.address,
                password=rita.password,
                campaign=CAMPAIGN,
                google=_first_address(signin, "google"),
                microsoft=_first_address(signin, "microsoft"),
            )
            print(words, flush=True)
            await stopped.wait()
            print("Stopping ...", flush=True)


def sample_phones() -> dict[str, str]:
    """The telephones of the sample people: number to name."""
    with (SAMPLES / "people.csv").open(encoding="utf-8", newline="") as people:
        return {
            row["phone"]: f"{row['first_name']} {row['last_name']}" for row in csv.DictReader(people) if row["phone"]
        }


def _first_address(signin: SignInHost, provider: TokenProvider) -> str:
    return signin.registry.people(provider)[0].address


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
