"""The workspace: people, channels, messages and views, held in memory and changed in one place."""

import copy
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import replace

from sandbox.slack.config import AppConfig, ChannelKind, Json, WorkspaceSeed
from sandbox.slack.feed import Change, Feed
from sandbox.slack.ids import Clock, Timestamps, random_id
from sandbox.slack.model import Channel, Message, User, with_ids
from sandbox.slack.views import ViewStore


class Workspace:
    """State of one Slack workspace with one installed app.

    Every change is told to ``feed``. Methods here do what they are asked; whether a caller may ask
    (tokens, scopes, membership) is for the Web API and the page to decide.
    """

    def __init__(self, app: AppConfig, seed: WorkspaceSeed, feed: Feed, clock: Clock) -> None:
        self.app = app
        self.team_id = seed.team_id
        self.team_name = seed.team_name
        self.team_domain = seed.team_domain
        self.feed = feed
        self.clock = clock
        self.timestamps = Timestamps(clock)
        self.users: dict[str, User] = {}
        self.channels: dict[str, Channel] = {}
        self._messages: dict[str, dict[str, Message]] = defaultdict(dict)
        self._ephemerals: dict[str, dict[str, Message]] = defaultdict(dict)
        self._read: dict[tuple[str, str], str] = {}
        self.views = ViewStore(feed, clock, self)
        self._seed(seed)

    def _seed(self, seed: WorkspaceSeed) -> None:
        for person in seed.users:
            self.users[person.id] = User(**vars(person))
        bot = self.app.bot_user_id
        self.users[bot] = User(bot, self.app.bot_name, self.app.name, is_bot=True, color="5b4bd6")
        for entry in seed.channels:
            self.channels[entry.id] = Channel(
                id=entry.id,
                name=entry.name,
                kind=entry.kind,
                members=set(entry.members),
                created=int(self.clock()),
                topic=entry.topic,
                creator=entry.members[0] if entry.members else "",
            )

    # People and channels

    def people(self) -> list[User]:
        """Return every user that is not a bot."""
        return [user for user in self.users.values() if not user.is_bot]

    def user_by_email(self, email: str) -> User | None:
        """Return the user with this address, compared without regard to case."""
        wanted = email.casefold()
        return next((u for u in self.people() if u.email.casefold() == wanted and not u.deleted), None)

    def channel_by_name(self, name: str) -> Channel | None:
        """Return the public or private channel with this name (no ``#``)."""
        return next((c for c in self.channels.values() if c.kind != "dm" and c.name == name), None)

    def sees(self, user_id: str, channel: Channel) -> bool:
        """Whether a user may look into a channel: public ones, and those they are in."""
        return channel.kind == "channel" or user_id in channel.members

    def direct_message(self, user_id: str) -> tuple[Channel, bool]:
        """Return the bot's direct message with a user, and whether it was open before."""
        members = {user_id, self.app.bot_user_id}
        for channel in self.channels.values():
            if channel.kind == "dm" and channel.members == members:
                return channel, True
        channel = Channel(random_id("D"), "", "dm", members, int(self.clock()), creator=self.app.bot_user_id)
        self.channels[channel.id] = channel
        self.feed.touch()
        return channel, False

    def create_channel(self, name: str, members: Iterable[str], kind: ChannelKind = "channel") -> Channel:
        """Add a channel with these people in it."""
        present = set(members)
        channel = Channel(random_id("C"), name, kind, present, int(self.clock()))
        self.channels[channel.id] = channel
        self.feed.touch()
        return channel

    def join(self, user_id: str, channel: Channel) -> bool:
        """Put a user into a channel; False if they were in it already."""
        if user_id in channel.members:
            return False
        channel.members.add(user_id)
        self.system_message(channel, user_id, "channel_join", f"<@{user_id}> has joined the channel")
        return True

    def leave(self, user_id: str, channel: Channel) -> bool:
        """Take a user out of a channel; False if they were not in it."""
        if user_id not in channel.members:
            return False
        self.system_message(channel, user_id, "channel_leave", f"<@{user_id}> has left the channel")
        channel.members.discard(user_id)
        return True

    def set_archived(self, channel: Channel, archived: bool, by: str) -> None:
        """Archive a channel or bring it back."""
        self.system_message(channel, by, "channel_archive", f"<@{by}> archived the channel")
        channel.archived = archived

    # Messages

    def messages(self, channel_id: str) -> list[Message]:
        """Return every stored message of a channel, thread replies too, oldest first."""
        return list(self._messages[channel_id].values())

    def message(self, channel_id: str, ts: str) -> Message | None:
        """Return the stored message, or None."""
        return self._messages[channel_id].get(ts)

    def ephemerals(self, user_id: str) -> list[Message]:
        """Return what only this user sees, oldest first."""
        return list(self._ephemerals[user_id].values())

    def ephemeral(self, user_id: str, ts: str) -> Message | None:
        """Return one message that only this user sees, or None."""
        return self._ephemerals[user_id].get(ts)

    def post(self, message: Message) -> Message:
        """Store a new message (its ``ts`` is given here) and fill in the ids Slack fills in."""
        message = replace(message, ts=self.timestamps.next())
        message.blocks = with_ids(message.blocks)
        message.attachments = _attachments_with_ids(message.attachments)
        if message.ephemeral_to is not None:
            self._ephemerals[message.ephemeral_to][message.ts] = message
            self._tell("ephemeral", message)
            return message
        self._messages[message.channel][message.ts] = message
        parent = self.message(message.channel, message.thread_ts) if message.thread_ts else None
        if parent is not None and parent is not message:
            parent.replies.append(message.ts)
            self._tell("message_changed", parent)
        if not message.by_bot:
            self.mark_read(message.user, message.channel)
        self._tell("message", message)
        return message

    def system_message(self, channel: Channel, user_id: str, subtype: str, text: str) -> Message:
        """Post one of Slack's own lines, such as that somebody joined."""
        return self.post(Message("", channel.id, user_id, text, by_bot=False, subtype=subtype))

    def edit(
        self, message: Message, *, text: str, blocks: list[Json], attachments: list[Json], edited_by: str | None
    ) -> None:
        """Replace what a message says; ``edited_by`` puts the "(edited)" mark on it."""
        message.text = text
        message.blocks = with_ids(blocks)
        message.attachments = _attachments_with_ids(attachments)
        if edited_by is not None:
            message.edited = {"user": edited_by, "ts": self.timestamps.next()}
        self._tell("message_changed", message)

    def delete(self, message: Message) -> None:
        """Remove a message; a parent forgets the reply."""
        if message.ephemeral_to is not None:
            self._ephemerals[message.ephemeral_to].pop(message.ts, None)
        else:
            self._messages[message.channel].pop(message.ts, None)
            parent = self.message(message.channel, message.thread_ts) if message.thread_ts else None
            if parent is not None and message.ts in parent.replies:
                parent.replies.remove(message.ts)
                self._tell("message_changed", parent)
        self._tell("message_deleted", message)

    def react(self, message: Message, name: str, user_id: str) -> bool:
        """Add a reaction; False if this user gave it already."""
        users = message.reactions.setdefault(name, [])
        if user_id in users:
            return False
        users.append(user_id)
        self._tell("message_changed", message)
        return True

    # What each reader sees

    def mark_read(self, user_id: str, channel_id: str) -> None:
        """Take all messages of a channel as read by a user."""
        self._read[user_id, channel_id] = next(reversed(self._messages[channel_id]), "0")

    def unread(self, user_id: str, channel_id: str) -> int:
        """Count the messages of others that came since the user last looked."""
        seen = self._read.get((user_id, channel_id), "0")
        count = 0
        for ts, message in reversed(self._messages[channel_id].items()):
            if ts <= seen:
                break
            count += message.top_level and message.user != user_id and message.subtype is None
        return count

    def message_for_page(self, message: Message, viewer: str) -> Json:
        """Return the page's ``Msg`` as ``viewer`` sees it."""
        return {
            "ts": message.ts,
            "channel": message.channel,
            "user": message.user,
            "bot_id": self.app.bot_id if message.by_bot else None,
            "app_name": self.app.name if message.by_bot else None,
            "subtype": message.subtype,
            "text": message.text,
            "blocks": message.blocks,
            "attachments": message.attachments,
            "files": message.files,
            "edited": {"ts": message.edited["ts"]} if message.edited else None,
            "ephemeral": message.ephemeral_to is not None,
            "thread_ts": message.thread_ts,
            "reply_count": len(message.replies),
            "reactions": [{"name": n, "users": u} for n, u in message.reactions.items()],
            "mine": message.user == viewer,
        }

    def message_for_api(self, message: Message, *, with_metadata: bool = False) -> Json:
        """Return the message object of the Web API."""
        found: Json = {
            "type": "message",
            "ts": message.ts,
            "user": message.user,
            "team": self.team_id,
            "text": message.text,
        }
        if message.by_bot:
            found |= {"bot_id": self.app.bot_id, "app_id": self.app.app_id, "bot_profile": self.bot_profile()}
        optional = {
            "subtype": message.subtype,
            "blocks": message.blocks,
            "attachments": message.attachments,
            "files": message.files,
            "edited": message.edited,
            "client_msg_id": message.client_msg_id,
            "metadata": message.metadata if with_metadata else None,
            "thread_ts": message.thread_ts,
        }
        found |= {key: copy.deepcopy(value) for key, value in optional.items() if value}
        if message.replies:
            found |= self._thread_summary(message)
        if message.reactions:
            found["reactions"] = [{"name": n, "users": list(u), "count": len(u)} for n, u in message.reactions.items()]
        return found

    def bot_profile(self) -> Json:
        """Return the bot_profile object of messages and bots.info."""
        return {
            "id": self.app.bot_id,
            "app_id": self.app.app_id,
            "user_id": self.app.bot_user_id,
            "name": self.app.name,
            "icons": {},
            "deleted": False,
            "updated": 0,
            "team_id": self.team_id,
        }

    def _thread_summary(self, parent: Message) -> Json:
        replies = [self._messages[parent.channel][ts] for ts in parent.replies]
        users = list(dict.fromkeys(reply.user for reply in replies))
        return {
            "thread_ts": parent.ts,
            "reply_count": len(replies),
            "reply_users": users[:5],
            "reply_users_count": len(users),
            "latest_reply": replies[-1].ts,
            "is_locked": False,
            "subscribed": True,
        }

    def _tell(self, kind: str, message: Message) -> None:
        channel = self.channels[message.channel]
        if message.ephemeral_to is not None:
            users: frozenset[str] | None = frozenset({message.ephemeral_to})
        else:
            users = None if channel.kind == "channel" else frozenset(channel.members)

        def render(viewer: str) -> Json:
            return {
                "type": kind,
                "channel": message.channel,
                "ts": message.ts,
                "message": self.message_for_page(message, viewer),
            }

        self.feed.publish(Change(kind, render, users))


def _attachments_with_ids(attachments: list[Json]) -> list[Json]:
    filled = []
    for number, attachment in enumerate(attachments, start=1):
        entry = {"id": number, "fallback": "[no preview available]", **attachment}
        if entry.get("blocks"):
            entry["blocks"] = with_ids(entry["blocks"])
        filled.append(entry)
    return filled
