"""A Slack workspace on loopback: Web API, Socket Mode, signed HTTP delivery and the page's API."""

from sandbox.slack.config import AppConfig, WorkspaceSeed, load_manifest, parse_manifest
from sandbox.slack.interactions import NotPossibleError
from sandbox.slack.model import Channel, Message, User, View
from sandbox.slack.sandbox import SlackSandbox
from sandbox.slack.state import Workspace

__all__ = [
    "AppConfig",
    "Channel",
    "Message",
    "NotPossibleError",
    "SlackSandbox",
    "User",
    "View",
    "Workspace",
    "WorkspaceSeed",
    "load_manifest",
    "parse_manifest",
]
