"""Was it a person, or a machine that looks at mail before people do? Pure (R175, R182).

No sign proves anything, so what was seen is kept as it was and only shown apart. Opens by a machine come from Apple's
Mail Privacy Protection (agent "Mozilla/5.0" and nothing else), from Gmail's prefetch (an Edge 12 that no person runs)
and from scanners. GoogleImageProxy and Yahoo's proxy fetch when the reader opens the mail: they count as the reader.
Clicks by a machine come from security gateways: seconds after delivery, by HEAD, or on every link at once.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

AT_ONCE: Final = timedelta(seconds=2)
"""Different links of one mail clicked within so short a time: nobody reads that fast."""
_TOO_SOON: Final = timedelta(seconds=5)
_EARLY: Final = timedelta(seconds=30)
_APPLE_PRIVACY: Final = "Mozilla/5.0"
_READERS_PROXY: Final = re.compile(r"GoogleImageProxy|YahooMailProxy", re.I)
_MACHINES: Final = re.compile(
    # programs and libraries, none of which shows a page to anybody
    r"^$|\bbot\b|bot[/;) ]|crawler|spider|curl/|wget/|python|aiohttp|httpx|go-http-client|java/|okhttp|libwww|axios|"
    r"node-fetch|undici|headless|phantomjs|selenium|puppeteer|playwright|"
    # previews in other programs
    r"preview|facebookexternalhit|whatsapp|slackbot|telegrambot|discordbot|skypeuripreview|"
    # security gateways
    r"barracuda|proofpoint|mimecast|fireeye|trend ?micro|symantec|messagelabs|sophos|zscaler|cloudmark|urlscan|"
    r"virustotal|safebrowsing|scanner|"
    # Gmail's prefetch while a session is open
    r"Edge/12\.246",
    re.I,
)


@dataclass(frozen=True, slots=True)
class Sight:
    """What came in. ``others_at``: when other links of the same mail were clicked; ``opened``: whether the mail was
    opened before, None where opens are not counted."""

    kind: str
    at: datetime
    agent: str
    sent_at: datetime | None = None
    head: bool = False
    others_at: Collection[datetime] = ()
    opened: bool | None = None


def signs(sight: Sight) -> tuple[list[str], list[str]]:
    """(strong, weak) signs that no person did it, in words."""
    strong, weak = list[str](), list[str]()
    agent = sight.agent.strip()
    if sight.head:
        strong.append("asked for the headers only")
    if agent == _APPLE_PRIVACY:
        strong.append("Apple Mail fetches pictures for everybody")
    elif not _READERS_PROXY.search(agent) and _MACHINES.search(agent):
        strong.append("the program is no browser and no mail program")
    if sight.sent_at is not None and sight.at - sight.sent_at < _TOO_SOON:
        strong.append("within five seconds of being sent")
    elif sight.sent_at is not None and sight.at - sight.sent_at < _EARLY:
        weak.append("within half a minute of being sent")
    if sight.kind != "open" and any(abs(sight.at - other) <= AT_ONCE for other in sight.others_at):
        strong.append("several links at once")
    if sight.kind != "open" and sight.opened is False:
        weak.append("never opened")  # pictures may be switched off: this alone says nothing
    return strong, weak


def is_machine(sight: Sight) -> bool:
    """Likely not a person: one strong sign, or two weak ones."""
    strong, weak = signs(sight)
    return bool(strong) or len(weak) > 1
