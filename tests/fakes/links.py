"""The use cases behind the links in mails, in memory: every token is bad but those that a test names."""

from __future__ import annotations

from dataclasses import dataclass, field

from core.ports.storage import CampaignFile
from core.services.engagement import Visit


@dataclass
class FakeEngagement:
    """``targets`` by token; what came in is kept in ``seen``."""

    targets: dict[str, str] = field(default_factory=dict)
    files: dict[str, CampaignFile] = field(default_factory=dict)
    subscribed: set[str] = field(default_factory=set)
    seen: list[tuple[str, str, Visit]] = field(default_factory=list)
    unsubscribed: list[tuple[str, str]] = field(default_factory=list)

    def opened(self, token: str, visit: Visit) -> None:
        self.seen.append(("open", token, visit))

    def clicked(self, token: str, visit: Visit) -> str | None:
        self.seen.append(("click", token, visit))
        return self.targets.get(token)

    async def file(self, token: str, visit: Visit) -> CampaignFile | None:
        self.seen.append(("download", token, visit))
        return self.files.get(token)

    def may_unsubscribe(self, token: str) -> bool:
        return token in self.subscribed

    async def unsubscribe(self, token: str, *, how: str) -> bool:
        if token in self.subscribed:
            self.unsubscribed.append((token, how))
        return token in self.subscribed
