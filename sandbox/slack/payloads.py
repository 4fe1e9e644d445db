"""The JSON Slack sends to apps: command, interaction and event payloads."""

import secrets

from sandbox.slack.config import Json
from sandbox.slack.ids import random_id
from sandbox.slack.model import Channel, Message, User, View
from sandbox.slack.state import Workspace

VERIFICATION_TOKEN = "sandbox-verification-token"

_COPIED = ("value", "text", "style", "url", "placeholder", "confirm")
_INPUTS = (
    "selected_option",
    "selected_options",
    "selected_user",
    "selected_users",
    "selected_channel",
    "selected_channels",
    "selected_conversation",
    "selected_conversations",
    "selected_date",
    "selected_time",
    "selected_date_time",
    "value",
    "rich_text_value",
    "files",
)


def slash_command(
    workspace: Workspace, user: User, channel: Channel, command: str, text: str, response_url: str
) -> Json:
    """Return the fields of a slash command."""
    return {
        "token": VERIFICATION_TOKEN,
        "team_id": workspace.team_id,
        "team_domain": workspace.team_domain,
        "channel_id": channel.id,
        "channel_name": channel.payload_name,
        "user_id": user.id,
        "user_name": user.name,
        "command": command,
        "text": text,
        "api_app_id": workspace.app.app_id,
        "is_enterprise_install": "false",
        "response_url": response_url,
        "trigger_id": workspace.views.new_trigger(user.id),
    }


def interaction(workspace: Workspace, kind: str, user: User) -> Json:
    """Return what every interaction payload has."""
    return {
        "type": kind,
        "team": {"id": workspace.team_id, "domain": workspace.team_domain},
        "user": {
            "id": user.id,
            "username": user.name,
            "name": user.name,
            "team_id": workspace.team_id,
        },
        "api_app_id": workspace.app.app_id,
        "token": VERIFICATION_TOKEN,
        "enterprise": None,
        "is_enterprise_install": False,
    }


def message_container(workspace: Workspace, message: Message, attachment: int | None) -> Json:
    """Return container, channel and message of an interaction with a message.

    An ephemeral message is not in the payload: Slack keeps none to send.
    """
    channel = workspace.channels[message.channel]
    ephemeral = message.ephemeral_to is not None
    container: Json = {
        "type": "message" if attachment is None else "message_attachment",
        "message_ts": message.ts,
        "channel_id": channel.id,
        "is_ephemeral": ephemeral,
    }
    if attachment is not None:
        container |= {"attachment_id": attachment, "is_app_unfurl": False}
    if message.thread_ts:
        container["thread_ts"] = message.thread_ts
    found: Json = {"container": container, "channel": {"id": channel.id, "name": channel.payload_name}}
    if not ephemeral:
        found["message"] = workspace.message_for_api(message, with_metadata=True)
    return found


def view_container(workspace: Workspace, view: View) -> Json:
    """Return container and view of an interaction with a modal or the Home tab."""
    return {"container": {"type": "view", "view_id": view.id}, "view": workspace.views.to_api(view)}


def action(workspace: Workspace, block_id: str, element: Json, given: Json) -> Json:
    """Return one entry of ``actions``: the element's own fields and what the person chose."""
    found: Json = {"type": element["type"], "action_id": element["action_id"], "block_id": block_id}
    found |= {name: element[name] for name in _COPIED if name in element}
    found |= {name: given[name] for name in _INPUTS if name in given and element["type"] != "button"}
    return found | {"action_ts": workspace.timestamps.next()}


def view_submission(workspace: Workspace, view: View, user: User) -> Json:
    """Return the payload of a modal's submit button."""
    return interaction(workspace, "view_submission", user) | {
        "trigger_id": workspace.views.new_trigger(user.id, view.id),
        "view": workspace.views.to_api(view),
        "response_urls": [],
    }


def view_closed(workspace: Workspace, view: View, user: User, *, cleared: bool) -> Json:
    """Return the payload of a modal that was closed without submitting."""
    return interaction(workspace, "view_closed", user) | {
        "view": workspace.views.to_api(view),
        "is_cleared": cleared,
    }


def event_callback(workspace: Workspace, event: Json) -> Json:
    """Return an event in the wrapper of the Events API."""
    event = {"event_ts": workspace.timestamps.next()} | event
    return {
        "token": VERIFICATION_TOKEN,
        "team_id": workspace.team_id,
        "context_team_id": workspace.team_id,
        "context_enterprise_id": None,
        "api_app_id": workspace.app.app_id,
        "event": event,
        "type": "event_callback",
        "event_id": random_id("Ev", 11),
        "event_time": int(float(event["event_ts"])),
        "authorizations": [
            {
                "enterprise_id": None,
                "team_id": workspace.team_id,
                "user_id": workspace.app.bot_user_id,
                "is_bot": True,
                "is_enterprise_install": False,
            }
        ],
        "is_ext_shared_channel": False,
        "event_context": f"4-{secrets.token_urlsafe(24)}",
    }
