"""What people do in the workspace, told to the app, and what its answers change on screen."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sandbox.slack import inputs, payloads
from sandbox.slack.block_kit import check_suggestions, check_view
from sandbox.slack.config import Json
from sandbox.slack.delivery import Ack, AppLink
from sandbox.slack.events import Events
from sandbox.slack.model import Channel, Message, User, View, find_element
from sandbox.slack.posting import RefusedError
from sandbox.slack.response_urls import ResponseUrls
from sandbox.slack.state import Workspace
from sandbox.slack.typed_text import as_command, as_message
from sandbox.slack.views import ViewError

TROUBLE = "We had some trouble connecting. Try again?"
OK: Json = {"ok": True}


def failure(error: str, message: str) -> Json:
    """Return the page's answer for something that did not work."""
    return {"ok": False, "error": error, "message": message}


class NotPossibleError(Exception):
    """Something a person cannot do in Slack; ``code`` names it and the text explains it."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


@dataclass(frozen=True)
class _Used:
    """An element somebody uses: in a view, or in a message (and perhaps in its attachment)."""

    block_id: str
    element: Json
    view: View | None
    message: Message | None
    attachment: int | None


class Interactions:
    """The acts of people: messages, commands, clicks, modals and the Home tab."""

    def __init__(self, workspace: Workspace, link: AppLink, events: Events, urls: ResponseUrls) -> None:
        self._workspace = workspace
        self._link = link
        self._events = events
        self._urls = urls

    # Messages and commands

    def post(self, user_id: str, channel_id: str, text: str, thread_ts: str | None = None) -> Message:
        """Post a person's own message. Raises NotPossibleError."""
        user, channel = self._person_in(user_id, channel_id)
        if not text.strip():
            raise NotPossibleError("no_text", "There is nothing to send.")
        if user.id not in channel.members:
            raise NotPossibleError("not_in_channel", f"Join #{channel.name} to write in it.")
        if channel.archived:
            raise NotPossibleError("is_archived", f"#{channel.name} is archived.")
        words = as_message(self._workspace, text)
        message = self._workspace.post(Message("", channel.id, user.id, words, by_bot=False, thread_ts=thread_ts))
        self._events.message(message)
        return message

    async def command(self, user_id: str, channel_id: str, command: str, text: str) -> Json:
        """Run a slash command and show the answer its ack carries. Raises NotPossibleError."""
        user, channel = self._person_in(user_id, channel_id)
        known = self._workspace.app.command(command)
        if known is None:
            return failure("unknown_command", f"{command} is not a valid command.")
        words = as_command(self._workspace, text.strip(), should_escape=known.should_escape)
        url = self._urls.new("commands", user.id, channel.id)
        ack = await self._link.deliver(
            "slash_commands", payloads.slash_command(self._workspace, user, channel, command, words, url)
        )
        if ack.error is not None:
            return failure(ack.error, _command_failed(command, ack))
        if ack.payload:
            try:
                self._urls.apply(user.id, channel.id, ack.payload)
            except RefusedError as error:
                return failure(error.code, f'{command} failed with the error "{error.code}"')
        return OK

    # Clicks and menus

    async def act(self, user_id: str, container: Json, given: Json, values: Json | None = None) -> Json:
        """Tell the app that a person used an element. Raises NotPossibleError."""
        user = self._person(user_id)
        used = self._used(user, container, str(given.get("block_id")), str(given.get("action_id")))
        chosen = _choice(used.element, given)
        if used.view is not None:
            _keep(used.view, used, chosen, values or {})
        payload = payloads.interaction(self._workspace, "block_actions", user) | self._surroundings(used)
        if used.message is not None:
            payload["response_url"] = self._urls.new("actions", user.id, used.message.channel, used.message)
            payload["state"] = {"values": values or {}}
        view_id = used.view.id if used.view else None
        payload["trigger_id"] = self._workspace.views.new_trigger(user.id, view_id)
        payload["actions"] = [payloads.action(self._workspace, used.block_id, used.element, chosen)]
        ack = await self._link.deliver("interactive", payload)
        if ack.error is not None:
            return failure(ack.error, TROUBLE if used.view else "This did not reach the app.")
        return OK

    async def suggest(self, user_id: str, container: Json, block_id: str, action_id: str, value: str) -> Json:
        """Ask the app for the options of an external select. Raises NotPossibleError."""
        user = self._person(user_id)
        used = self._used(user, container, block_id, action_id)
        payload = payloads.interaction(self._workspace, "block_suggestion", user) | self._surroundings(used)
        payload |= {"action_id": action_id, "block_id": block_id, "value": value}
        ack = await self._link.deliver("interactive", payload)
        if ack.error is not None or not ack.payload or check_suggestions(ack.payload):
            return {"options": [], "error": ack.error or "invalid_options"}
        return ack.payload

    def _used(self, user: User, container: Json, block_id: str, action_id: str) -> _Used:
        """Find the element a person points at and what it stands in."""
        view = self._view_of(user, container)
        if view is not None:
            element, attachment, message = find_element(view.blocks, block_id, action_id), None, None
        else:
            message = self._message_of(user, container)
            element, attachment = message.action(block_id, action_id) or (None, None)
        if element is None:
            raise NotPossibleError("action_not_found", "This button is no longer there.")
        return _Used(block_id, element, view, message, attachment)

    def _surroundings(self, used: _Used) -> Json:
        if used.view is not None:
            return payloads.view_container(self._workspace, used.view)
        assert used.message is not None
        return payloads.message_container(self._workspace, used.message, used.attachment)

    # Modals

    async def submit(self, user_id: str, view_id: str, values: Mapping[str, Mapping[str, Json]]) -> Json:
        """Submit the modal on top and do what the app answers. Raises NotPossibleError."""
        user = self._person(user_id)
        view = self._modal(user, view_id)
        view.values = inputs.with_defaults(view, values)
        wrong = inputs.errors(view, view.values)
        if wrong:
            return {"ok": True, "response_action": "errors", "errors": wrong}
        ack = await self._link.deliver("interactive", payloads.view_submission(self._workspace, view, user))
        if ack.error is not None:
            return failure(ack.error, TROUBLE)
        return self._after_submit(user, view, ack.payload or {})

    def _after_submit(self, user: User, view: View, answer: Json) -> Json:
        kind = answer.get("response_action")
        views = self._workspace.views
        if kind is None:
            views.close(view)
            return OK
        if kind == "clear":
            views.clear(user.id)
            return OK | {"response_action": "clear"}
        if kind == "errors":
            wrong = answer.get("errors")
            if not isinstance(wrong, dict) or not wrong or not all(view.input_block(name) for name in wrong):
                return failure("invalid_response_action", TROUBLE)
            return OK | {"response_action": "errors", "errors": wrong}
        content = answer.get("view")
        if kind not in ("update", "push") or not isinstance(content, dict) or check_view(content):
            return failure("invalid_response_action", TROUBLE)
        try:
            views.update(view, content) if kind == "update" else views.push(user.id, content)
        except ViewError as error:
            return failure(error.code, TROUBLE)
        return OK | {"response_action": kind}

    async def close(self, user_id: str, view_id: str, *, all_of_them: bool = False) -> Json:
        """Close a modal without submitting; the app hears it if it asked to. NotPossibleError."""
        user = self._person(user_id)
        view = self._modal(user, view_id)
        views = self._workspace.views
        if all_of_them or view.content.get("clear_on_close"):
            closed = views.clear(user.id)
        else:
            closed = [view]
            views.close(view)
        for one in closed:
            if one.content.get("notify_on_close"):
                cleared = len(closed) > 1
                payload = payloads.view_closed(self._workspace, one, user, cleared=cleared)
                await self._link.deliver("interactive", payload)
        return OK

    def open_home(self, user_id: str) -> View | None:
        """Open the app's Home tab: the app is told, and what it published before is shown."""
        user = self._person(user_id)
        self._events.app_home_opened(user.id)
        return self._workspace.views.home(user.id)

    # Finding

    def _person(self, user_id: str) -> User:
        user = self._workspace.users.get(user_id)
        if user is None or user.is_bot or user.deleted:
            raise NotPossibleError("user_not_found", f"There is no user {user_id}.")
        return user

    def _person_in(self, user_id: str, channel_id: str) -> tuple[User, Channel]:
        user = self._person(user_id)
        channel = self._workspace.channels.get(channel_id)
        if channel is None or not self._workspace.sees(user.id, channel):
            raise NotPossibleError("channel_not_found", f"There is no channel {channel_id}.")
        return user, channel

    def _message_of(self, user: User, container: Json) -> Message:
        _, channel = self._person_in(user.id, str(container.get("channel")))
        ts = str(container.get("ts"))
        message = self._workspace.ephemeral(user.id, ts) or self._workspace.message(channel.id, ts)
        if message is None:
            raise NotPossibleError("message_not_found", "This message is no longer there.")
        return message

    def _view_of(self, user: User, container: Json) -> View | None:
        kind = container.get("type")
        if kind == "home":
            view = self._workspace.views.home(user.id)
            if view is None:
                raise NotPossibleError("not_found", "The Home tab is empty.")
            return view
        return self._modal(user, str(container.get("view_id"))) if kind == "view" else None

    def _modal(self, user: User, view_id: str) -> View:
        view = self._workspace.views.find(view_id=view_id)
        if view is None or view.user != user.id:
            raise NotPossibleError("not_found", "This window is no longer open.")
        return view


def _keep(view: View, used: _Used, chosen: Json, values: Mapping[str, Mapping[str, Json]]) -> None:
    """Remember in a view's state what stands in its inputs, the element just used among them."""
    if values:
        view.values = inputs.with_defaults(view, values)
    if used.element["type"] not in ("button", "overflow"):
        entry = {"type": used.element["type"], **chosen}
        view.values.setdefault(used.block_id, {})[used.element["action_id"]] = entry


def _choice(element: Json, given: Json) -> Json:
    """Take options from the element itself, whatever the page sent along with their value."""
    if element["type"] == "button":
        return {}
    option: Any = given.get("selected_option")
    if isinstance(option, dict) and element["type"] != "external_select":
        try:
            return inputs.chosen(element, option.get("value"))
        except inputs.UnknownOptionError as error:
            raise NotPossibleError("invalid_option", str(error)) from error
    return {name: value for name, value in given.items() if name not in ("type", "block_id", "action_id")}


def _command_failed(command: str, ack: Ack) -> str:
    if ack.error == "dispatch_failed":
        return f"{command} failed because the app did not respond. It may not be running."
    return f'{command} failed with the error "{ack.error}"'
