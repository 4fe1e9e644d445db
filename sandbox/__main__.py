"""``python -m sandbox``: run the sandbox by itself."""

import argparse
import asyncio
import contextlib
import json
import signal
import sys
from collections.abc import AsyncIterator, Callable, Coroutine, Sequence
from pathlib import Path
from typing import Any

from sandbox.demo import DemoError, demo
from sandbox.mail import MailHost
from sandbox.signin import SignInHost
from sandbox.slack import SlackSandbox
from sandbox.slack.config import Json, ManifestError
from sandbox.sms import SmsHost

DEFAULT_MANIFEST = Path("manifest.yml")


@contextlib.asynccontextmanager
async def running(manifest: Path, port: int = 0) -> AsyncIterator[tuple[SlackSandbox, MailHost, SignInHost, SmsHost]]:
    """Run workspace, mail, sign-in and text message hosts; the page serves their switches and hears of changes."""
    async with MailHost() as mail, SignInHost(mail) as signin, SmsHost() as sms:
        routes = [*mail.routes(), *signin.routes(), *sms.routes()]
        async with SlackSandbox(manifest, port=port, routes=routes) as slack:
            mail.on_change(lambda address: slack.feed.tell({"type": "mail_changed", "address": address}))
            signin.on_change(lambda: slack.feed.tell({"type": "signin_changed"}))
            sms.on_change(lambda: slack.feed.tell({"type": "sms_changed"}))
            yield slack, mail, signin, sms


def described(slack: SlackSandbox, mail: MailHost, signin: SignInHost, sms: SmsHost) -> Json:
    """Return every address, token and secret a product needs to work against the sandbox."""
    return {
        "page_url": slack.page_url,
        "slack_api_url": slack.api_url,
        "bot_token": slack.bot_token,
        "app_token": slack.app_token,
        "signing_secret": slack.signing_secret,
        "client_id": slack.tokens.client_id,
        "client_secret": slack.tokens.client_secret,
        "imap": mail.imap_address,
        "imaps": mail.imaps_address,
        "smtp": mail.smtp_address,
        "dns": mail.dns_address,
        "mail": mail.describe(),
        **signin.describe(),
        "sms": sms.describe(),
    }


async def serve(arguments: argparse.Namespace) -> int:
    """Run until SIGINT or SIGTERM; the one line on stdout tells where everything is."""
    stopped = _stop_on_signals()
    async with running(arguments.manifest, arguments.port) as (slack, mail, signin, sms):
        if arguments.request_url:
            slack.set_request_url(arguments.request_url)
        line = json.dumps(described(slack, mail, signin, sms))
        if arguments.ready_file:
            _write_whole(arguments.ready_file, line + "\n")
        print(line, flush=True)
        await stopped.wait()
    return 0


async def run_demo(arguments: argparse.Namespace) -> int:
    """Run the sandbox and the product against it until SIGINT or SIGTERM."""
    stopped = _stop_on_signals()
    async with running(arguments.manifest, arguments.port) as (slack, mail, signin, sms):
        await demo(slack, mail, signin, sms, stopped, arguments.program)
    return 0


def _stop_on_signals() -> asyncio.Event:
    stopped = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stopped.set)
    return stopped


def _write_whole(path: Path, text: str) -> None:
    """Write a file so that whoever waits for it never reads half of it."""
    part = path.with_name(path.name + ".part")
    part.write_text(text, "utf-8")
    part.chmod(0o600)
    part.replace(path)


def parser() -> argparse.ArgumentParser:
    """Return the command line's grammar."""
    top = argparse.ArgumentParser(prog="python -m sandbox", description=__doc__)
    verbs = top.add_subparsers(dest="verb", required=True)
    serving = verbs.add_parser(
        "serve", help="run the Slack workspace and the stand-ins for mail, sign-in and text messages until stopped"
    )
    serving.add_argument("--port", type=int, default=0, help="HTTP port of the page (0: a free one)")
    serving.add_argument("--manifest", type=Path, default=DEFAULT_MANIFEST, help="the app's manifest")
    serving.add_argument("--request-url", help="where to deliver by HTTP while no socket is open")
    serving.add_argument("--ready-file", type=Path, help="also write the line of addresses to this file")
    serving.set_defaults(run=serve)
    showing = verbs.add_parser("demo", help="run the sandbox and the product against it, with sample data")
    showing.add_argument("--port", type=int, default=0, help="HTTP port of the page (0: a free one)")
    showing.add_argument("--manifest", type=Path, default=DEFAULT_MANIFEST, help="the app's manifest")
    showing.add_argument("--program", type=Path, default=Path("app.py"), help="the product's entry point")
    showing.set_defaults(run=run_demo)
    return top


def main(words: Sequence[str] | None = None) -> int:
    """Run one verb; 2 for wrong usage."""
    arguments = parser().parse_args(words)
    try:
        run: Callable[[argparse.Namespace], Coroutine[Any, Any, int]] = arguments.run
        return asyncio.run(run(arguments))
    except (DemoError, ManifestError, OSError) as error:
        print(f"sandbox: {error}", file=sys.stderr)
        return 2


if __name__ == "__main__":
    raise SystemExit(main())
