"""Who asks, and what they may do (R41; roles admin, recruiter, viewer). Pure."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from core.domain.account import Mailbox
from core.errors import NotAllowedError


class Role(StrEnum):
    ADMIN = "admin"
    RECRUITER = "recruiter"
    VIEWER = "viewer"


@dataclass(frozen=True, slots=True)
class Actor:
    """A person in a workspace. ``user`` is a Slack user id, or "operator" at the command line; ``email`` and ``name``
    are what Slack's profile says, empty where it says nothing."""

    workspace: str
    user: str
    role: Role
    email: str = ""
    name: str = ""


def operator(workspace: str) -> Actor:
    """Whoever has the machine's terminal."""
    return Actor(workspace, "operator", Role.ADMIN)


def require_mailbox(actor: Actor, mailbox: Mailbox) -> None:
    """A mailbox is its owner's and the admins' business. Raises NotAllowedError."""
    if actor.role is not Role.ADMIN and actor.user != mailbox.owner:
        raise NotAllowedError(
            f"{mailbox.address} belongs to <@{mailbox.owner}>; only its owner or an admin can do this.",
            fix="Ask them, or an admin.",
        )


def require_outreach(actor: Actor, owner: str | None, *, sender: str | None = None, shared: bool = False) -> None:
    """Campaigns without an owner are the team's; others their owner's, the admins', and, for what goes out of their own
    mailbox, the ``sender``'s. ``shared``: the owner lets every recruiter do this. Raises NotAllowedError."""
    require_recruiter(actor)
    if owner and not shared and actor.role is not Role.ADMIN and actor.user not in (owner, sender):
        raise NotAllowedError(
            f"This campaign belongs to <@{owner}>; only its owner or an admin can do this.",
            fix="Ask them, or an admin.",
        )


def require_recruiter(actor: Actor) -> None:
    """Viewers look, and change nothing. Raises NotAllowedError."""
    if actor.role is Role.VIEWER:
        raise NotAllowedError("Your role is viewer: you can look, but not change anything.", fix="Ask an admin.")


def require_admin(actor: Actor) -> None:
    """Raises NotAllowedError for everybody else."""
    if actor.role is not Role.ADMIN:
        raise NotAllowedError("Only an admin can do this.", fix="Ask an admin of this Slack workspace.")
