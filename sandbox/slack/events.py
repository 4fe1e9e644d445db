"""Events the app subscribed to in its manifest."""

from sandbox.slack import payloads
from sandbox.slack.config import Json
from sandbox.slack.delivery import AppLink
from sandbox.slack.model import Channel, Message
from sandbox.slack.state import Workspace

_MESSAGE_EVENTS = {"channel": "message.channels", "private": "message.groups", "dm": "message.im"}
_CHANNEL_TYPES = {"channel": "C", "private": "G"}


class Events:
    """Sends events, each only if the manifest asks for it and the bot may see its channel."""

    def __init__(self, workspace: Workspace, link: AppLink) -> None:
        self._workspace = workspace
        self._link = link

    def send(self, event: Json, subscription: str | None = None) -> bool:
        """Deliver an event in the background; False if the app did not subscribe to it."""
        if (subscription or event["type"]) not in self._workspace.app.bot_events:
            return False
        self._link.send_event(payloads.event_callback(self._workspace, event))
        return True

    def app_home_opened(self, user_id: str, tab: str = "home") -> None:
        """A person opened the app's Home or Messages tab."""
        channel, _ = self._workspace.direct_message(user_id)
        event: Json = {"type": "app_home_opened", "user": user_id, "channel": channel.id, "tab": tab}
        view = self._workspace.views.home(user_id)
        if view is not None and tab == "home":
            event["view"] = self._workspace.views.to_api(view)
        self.send(event)

    def message(self, message: Message) -> None:
        """A person wrote in a channel the bot is in."""
        channel = self._workspace.channels[message.channel]
        if self._bot_in(channel):
            kinds = {"channel": "channel", "private": "group", "dm": "im"}
            event = self._workspace.message_for_api(message) | {
                "channel": channel.id,
                "channel_type": kinds[channel.kind],
            }
            self.send(event, _MESSAGE_EVENTS[channel.kind])

    def joined(self, channel: Channel, user_id: str, inviter: str | None = None) -> None:
        """Somebody, perhaps the bot, came into a channel the bot is in."""
        if self._bot_in(channel):
            event = self._membership("member_joined_channel", channel, user_id)
            self.send(event | ({"inviter": inviter} if inviter else {}))

    def left(self, channel: Channel, user_id: str) -> None:
        """Somebody, perhaps the bot, left a channel the bot is or was in."""
        if self._bot_in(channel) or user_id == self._workspace.app.bot_user_id:
            self.send(self._membership("member_left_channel", channel, user_id))

    def archived(self, channel: Channel, by: str, *, archived: bool) -> None:
        """A channel was archived or brought back."""
        stem = "channel" if channel.kind == "channel" else "group"
        verb = "archive" if archived else "unarchive"
        self.send({"type": f"{stem}_{verb}", "channel": channel.id, "user": by, "is_moved": 0})

    def renamed(self, channel: Channel) -> None:
        """A channel got another name."""
        details = {"id": channel.id, "name": channel.name, "created": channel.created}
        stem = "channel" if channel.kind == "channel" else "group"
        self.send({"type": f"{stem}_rename", "channel": details})

    def uninstalled(self) -> None:
        """The app was removed from the workspace."""
        self.send({"type": "tokens_revoked", "tokens": {"oauth": [], "bot": [self._workspace.app.bot_user_id]}})
        self.send({"type": "app_uninstalled"})

    def _bot_in(self, channel: Channel) -> bool:
        return self._workspace.app.bot_user_id in channel.members

    def _membership(self, kind: str, channel: Channel, user_id: str) -> Json:
        return {
            "type": kind,
            "user": user_id,
            "channel": channel.id,
            "channel_type": _CHANNEL_TYPES.get(channel.kind, "D"),
            "team": self._workspace.team_id,
        }
