"""What Slack makes of the text a person types: escapes, mentions, channels and links."""

import re

from sandbox.slack.state import Workspace

_LINKS = re.compile(
    r"(?P<url>https?://[^\s<>]+)"
    r"|(?P<mail>[\w.+'-]+@[\w-]+(?:\.[\w-]+)+)"
    r"|(?<!\w)@(?P<user>[\w.-]*\w)"
    r"|(?<!\w)\#(?P<channel>[\w-]+)"
)


def escape(text: str) -> str:
    """Escape the three characters Slack's markup reserves."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def as_message(workspace: Workspace, text: str) -> str:
    """Return a typed message as Slack stores it: ``<@U…>``, ``<#C…|name>``, ``<https://…>``."""
    return _linked(workspace, text, names=False)


def as_command(workspace: Workspace, text: str, *, should_escape: bool) -> str:
    """Return a command's text as Slack sends it; with escaping, users come as ``<@U…|name>``."""
    return _linked(workspace, text, names=True) if should_escape else text


def _linked(workspace: Workspace, text: str, *, names: bool) -> str:
    users = {user.name.casefold(): user for user in workspace.users.values()}

    def replace(match: re.Match[str]) -> str:
        if url := match["url"]:
            return f"<{url}>"
        if mail := match["mail"]:
            return f"<mailto:{mail}|{mail}>"
        if match["user"]:
            user = users.get(match["user"].casefold())
            name = f"|{user.name}" if user and names else ""
            return f"<@{user.id}{name}>" if user else match[0]
        channel = workspace.channel_by_name(match["channel"])
        return f"<#{channel.id}|{channel.name}>" if channel else match[0]

    return _LINKS.sub(replace, escape(text))
