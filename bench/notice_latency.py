"""New mail on the server to its card in Slack: the whole product as its own process, against the sandbox.

    python -m bench.notice_latency [--mails 200] [--every 1.5]

Each mail answers a campaign mail, so that a card goes to the reply channel and one to the recruiter. Measured is from
just before the mail is delivered to when the Slack stand-in took the card. The product runs with its usual settings;
only while the campaign mails go out is the spacing between them switched off.
"""

from __future__ import annotations

import argparse
import asyncio
import re
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from bench.machine import conditions, percentile
from sandbox.mail import MailHost
from sandbox.mail.ledger import Accepted
from sandbox.slack import SlackSandbox
from tests.journeys.process import Stage, stage, until

RITA = "rita@agency.test"
REPLIES = "C0REPLIES"
CAMPAIGN = "Latency"
FOR_SENDING = {"spacing_min_s": "0", "spacing_max_s": "0", "mailbox_first_days": "0", "mailbox_daily": "100000"}
PLAN = f"""
name: {CAMPAIGN}
from: {RITA}
owner: U0RITA
stages:
  - kind: email
    delay: 0s
    subject: A role for you
    body: Hello {{{{first_name}}}}, may I call you?
"""


async def measure(mails: int, every: float) -> tuple[list[float], list[float]]:
    """Seconds from delivery to the channel's card and to the recruiter's, in order of delivery."""
    with tempfile.TemporaryDirectory(prefix="rethread-bench-") as name:
        async with stage(Path(name)) as set_up:
            await set_up.product.start()
            sent = await _send_campaign(set_up, mails)
            await set_up.host.wait_idle(RITA, timeout=30)
            delivered = await _answer_all(set_up.host, sent, every)

            async def all_there() -> bool:
                return all(len(_posted(set_up.slack, channel)) == mails for channel in _channels(set_up.slack))

            await until(all_there, "all cards", within=60)
            channel, recruiter = (
                [posted[address] - at for address, at in delivered.items()]
                for posted in (_posted(set_up.slack, one) for one in _channels(set_up.slack))
            )
            return channel, recruiter


def _channels(slack: SlackSandbox) -> tuple[str, str]:
    return REPLIES, slack.direct_message("U0RITA")


async def _send_campaign(set_up: Stage, mails: int) -> list[Accepted]:
    """A mailbox, a campaign and its first mail to everybody; the mails as the server took them."""
    product = set_up.product
    await product.settings(**FOR_SENDING)
    rows = (f"Nr{number:04d},nr{number:04d}@many.example\n" for number in range(mails))
    people = product.file("people.csv", "first_name,personal_email\n" + "".join(rows))
    await product.ask("campaign", "import", product.file("campaign.yml", PLAN))
    await product.ask("campaign", "enroll", CAMPAIGN, "--people", people)
    await set_up.connect(RITA)
    await set_up.green(RITA)
    await product.ask("campaign", "start", CAMPAIGN)
    await set_up.host.wait_until(lambda: len(set_up.host.accepted) >= mails, timeout=60 + mails)
    await product.settings(**dict.fromkeys(FOR_SENDING, "default"))
    return set_up.host.accepted[:mails]


async def _answer_all(host: MailHost, sent: Sequence[Accepted], every: float) -> Mapping[str, float]:
    """Answers each mail; who answered, and the moment (seconds since 1970) just before the delivery."""
    delivered = {}
    began = time.monotonic()
    for number, mail in enumerate(sent):
        await asyncio.sleep(max(0.0, began + number * every - time.monotonic()))
        delivered[mail.rcpts[0]] = time.time()
        await host.reply(mail.rcpts[0], mail.raw, "Yes, gladly.")
    return delivered


def _posted(slack: SlackSandbox, channel: str) -> dict[str, float]:
    """Whose answer, and when its card was first taken by the stand-in."""
    posted: dict[str, float] = {}
    for entry in slack.journal.calls("chat.postMessage"):
        found = re.search(r"nr\d{4}@many\.example", str(entry.request))
        if entry.error is None and found and entry.request["channel"] == channel:
            posted.setdefault(found[0], entry.at)
    return posted


def _line(what: str, seconds: Sequence[float]) -> str:
    shown = (f"p{share * 100:.0f} {percentile(seconds, share) * 1000:5.0f} ms" for share in (0.5, 0.95, 0.99))
    return f"{what:22} {', '.join(shown)}, most {max(seconds) * 1000:.0f} ms"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--mails", type=int, default=200)
    parser.add_argument("--every", type=float, default=1.5, help="seconds between two mails")
    arguments = parser.parse_args()
    channel, recruiter = asyncio.run(measure(arguments.mails, arguments.every))
    print(f"new mail to card, {arguments.mails} mails, one every {arguments.every:g} s ({conditions()})")
    print(_line("in the reply channel", channel))
    print(_line("in the recruiter's DM", recruiter))


if __name__ == "__main__":
    main()
