"""The things a workspace holds, and the JSON that Slack's Web API makes of them."""

import copy
from dataclasses import dataclass, field
from typing import Any

from sandbox.slack.config import ChannelKind, Json
from sandbox.slack.ids import short_id

_PASSIVE = frozenset({"image", "mrkdwn", "plain_text", "card"})


@dataclass
class User:
    """A person or the app's bot user."""

    id: str
    name: str
    real_name: str
    email: str = ""
    title: str = ""
    is_admin: bool = False
    is_owner: bool = False
    is_bot: bool = False
    color: str = "4bbe2e"
    tz: str = "Europe/London"
    tz_label: str = "Greenwich Mean Time"
    tz_offset: int = 0
    deleted: bool = False

    def to_api(self, team_id: str, *, with_email: bool) -> Json:
        """Return the user object of users.info; the address only with users:read.email."""
        profile: Json = {
            "real_name": self.real_name,
            "real_name_normalized": self.real_name,
            "display_name": self.name,
            "display_name_normalized": self.name,
            "title": self.title,
            "team": team_id,
        }
        if with_email and self.email:
            profile["email"] = self.email
        return {
            "id": self.id,
            "team_id": team_id,
            "name": self.name,
            "deleted": self.deleted,
            "color": self.color,
            "real_name": self.real_name,
            "tz": self.tz,
            "tz_label": self.tz_label,
            "tz_offset": self.tz_offset,
            "profile": profile,
            "is_admin": self.is_admin,
            "is_owner": self.is_owner,
            "is_primary_owner": self.is_owner,
            "is_restricted": False,
            "is_ultra_restricted": False,
            "is_bot": self.is_bot,
            "is_app_user": False,
            "updated": 0,
        }


@dataclass
class Channel:
    """A public channel, a private channel or a direct message with the bot."""

    id: str
    name: str
    kind: ChannelKind
    members: set[str]
    created: int
    topic: str = ""
    creator: str = ""
    archived: bool = False

    @property
    def payload_name(self) -> str:
        """The name interactive payloads carry: Slack hides those of private conversations."""
        return {"channel": self.name, "private": "privategroup", "dm": "directmessage"}[self.kind]

    def partner_of(self, user_id: str) -> str | None:
        """Return who ``user_id`` talks with in a direct message, None for other kinds."""
        if self.kind != "dm":
            return None
        return next((member for member in self.members if member != user_id), user_id)

    def to_api(self, viewer: str) -> Json:
        """Return the conversation object as ``viewer`` (the bot's user id) gets it."""
        common: Json = {"id": self.id, "created": self.created, "is_archived": self.archived}
        if self.kind == "dm":
            return common | {
                "is_im": True,
                "user": self.partner_of(viewer),
                "is_org_shared": False,
                "is_user_deleted": False,
                "priority": 0,
            }
        return common | {
            "name": self.name,
            "name_normalized": self.name,
            "is_channel": self.kind == "channel",
            "is_group": self.kind == "private",
            "is_im": False,
            "is_mpim": False,
            "is_private": self.kind == "private",
            "is_general": self.name == "general",
            "is_shared": False,
            "is_org_shared": False,
            "is_member": viewer in self.members,
            "num_members": len(self.members),
            "creator": self.creator,
            "topic": {"value": self.topic, "creator": self.creator, "last_set": 0},
            "purpose": {"value": "", "creator": "", "last_set": 0},
        }


@dataclass
class Message:
    """A message of a channel, or one that only ``ephemeral_to`` sees."""

    ts: str
    channel: str
    user: str
    text: str
    by_bot: bool
    blocks: list[Json] = field(default_factory=list)
    attachments: list[Json] = field(default_factory=list)
    files: list[Json] = field(default_factory=list)
    metadata: Json | None = None
    thread_ts: str | None = None
    subtype: str | None = None
    edited: Json | None = None
    ephemeral_to: str | None = None
    broadcast: bool = False
    client_msg_id: str | None = None
    replies: list[str] = field(default_factory=list)
    reactions: dict[str, list[str]] = field(default_factory=dict)

    @property
    def top_level(self) -> bool:
        """Whether it stands in the channel itself and not only in a thread."""
        return self.thread_ts in (None, self.ts) or self.broadcast

    def action(self, block_id: str, action_id: str) -> tuple[Json, int | None] | None:
        """Find an interactive element: the element and the 1-based attachment it is in, if any."""
        found = find_element(self.blocks, block_id, action_id)
        if found is not None:
            return found, None
        for number, attachment in enumerate(self.attachments, start=1):
            found = find_element(attachment.get("blocks") or [], block_id, action_id)
            if found is not None:
                return found, number
        return None

    def all_blocks(self) -> list[Json]:
        """Return the blocks of the message and of its attachments, in order."""
        inside = [block for attachment in self.attachments for block in attachment.get("blocks") or []]
        return every_block([*self.blocks, *inside])


@dataclass
class View:
    """A modal or a Home tab as one user sees it; ``content`` is what the app sent."""

    id: str
    user: str
    content: Json
    hash: str
    root_view_id: str
    previous_view_id: str | None = None
    values: dict[str, dict[str, Json]] = field(default_factory=dict)

    @property
    def is_home(self) -> bool:
        """Whether this is the Home tab."""
        return bool(self.content["type"] == "home")

    @property
    def blocks(self) -> list[Json]:
        """The view's blocks."""
        blocks: list[Json] = self.content["blocks"]
        return blocks

    @property
    def external_id(self) -> str:
        """The app's own id for the view, empty if it gave none."""
        return str(self.content.get("external_id") or "")

    def input_block(self, block_id: str) -> Json | None:
        """Return the input block called ``block_id``, or None."""
        return next((b for b in self.blocks if b["type"] == "input" and b["block_id"] == block_id), None)


def every_block(blocks: list[Json]) -> list[Json]:
    """Return the blocks and those inside containers and carousels, in reading order."""
    found: list[Json] = []
    for block in blocks:
        found.append(block)
        found += every_block(block.get("child_blocks") or [])
        if block["type"] == "carousel":
            found += every_block(block["elements"])
    return found


def elements_of(block: Json) -> list[Json]:
    """Return what a block's element lists hold, images and texts of context blocks too."""
    found: list[Any] = [block.get("accessory"), block.get("element")]
    if block["type"] != "rich_text":
        found += block.get("elements") or []
    found += block.get("actions") or []
    return [element for element in found if isinstance(element, dict)]


def find_element(blocks: list[Json], block_id: str, action_id: str) -> Json | None:
    """Return the element with this action in this block, or None."""
    for block in every_block(blocks):
        if block.get("block_id") == block_id:
            for element in elements_of(block):
                if element.get("action_id") == action_id:
                    return element
    return None


def with_ids(blocks: list[Json]) -> list[Json]:
    """Return a copy of the blocks with the block_id and action_id values Slack fills in."""
    filled = copy.deepcopy(blocks)
    for block in every_block(filled):
        block.setdefault("block_id", short_id())
        for element in elements_of(block):
            if element["type"] not in _PASSIVE:
                element.setdefault("action_id", short_id())
    return filled
