"""Modals on screen, Home tabs and the one-time triggers that open them."""

import copy
import hashlib
import json
import secrets
from dataclasses import dataclass
from typing import Protocol

from sandbox.slack.config import AppConfig, Json
from sandbox.slack.feed import Change, Feed
from sandbox.slack.ids import Clock, random_id
from sandbox.slack.model import View, with_ids

TRIGGER_SECONDS = 3.0
MODAL_STACK = 3


class ViewOwner(Protocol):
    """What the store needs to know of the workspace around it."""

    app: AppConfig
    team_id: str


@dataclass
class Trigger:
    """A right to open one modal for one user, for three seconds."""

    user: str
    expires: float
    view_id: str | None
    used: bool = False


class ViewError(Exception):
    """A views.* call that Slack refuses; ``code`` is Slack's error name."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


class ViewStore:
    """The modal stack and Home tab of every user."""

    def __init__(self, feed: Feed, clock: Clock, owner: ViewOwner) -> None:
        self._feed = feed
        self._clock = clock
        self._owner = owner
        self._triggers: dict[str, Trigger] = {}
        self._stacks: dict[str, list[View]] = {}
        self._homes: dict[str, View] = {}

    # Triggers

    def new_trigger(self, user: str, view_id: str | None = None) -> str:
        """Return a trigger_id that ``user``'s click or command made."""
        name = f"{secrets.randbelow(10**13)}.{secrets.randbelow(10**12)}.{secrets.token_hex(16)}"
        self._triggers[name] = Trigger(user, self._clock() + TRIGGER_SECONDS, view_id)
        return name

    def use_trigger(self, name: str) -> Trigger:
        """Spend a trigger; ViewError with Slack's name if it is unknown, spent or too old."""
        trigger = self._triggers.get(name)
        if trigger is None:
            raise ViewError("invalid_trigger_id")
        if trigger.used:
            raise ViewError("exchanged_trigger_id")
        if self._clock() > trigger.expires:
            raise ViewError("expired_trigger_id")
        trigger.used = True
        return trigger

    # Looking

    def stack(self, user: str) -> list[View]:
        """Return the user's open modals, the one on top last."""
        return list(self._stacks.get(user, ()))

    def top(self, user: str) -> View | None:
        """Return the modal the user looks at, or None."""
        stack = self._stacks.get(user)
        return stack[-1] if stack else None

    def home(self, user: str) -> View | None:
        """Return the user's Home tab, or None if the app published none."""
        return self._homes.get(user)

    def find(self, *, view_id: str = "", external_id: str = "") -> View | None:
        """Return a view by either id, or None."""
        every = [*self._homes.values(), *(view for stack in self._stacks.values() for view in stack)]
        return next(
            (v for v in every if (view_id and v.id == view_id) or (external_id and v.external_id == external_id)),
            None,
        )

    # Changing

    def open(self, user: str, content: Json) -> View:
        """Show a modal, in place of any stack that is open."""
        self._check_external_id(content)
        view = self._make(user, content)
        self._stacks[user] = [view]
        self._tell("view_open", view)
        return view

    def push(self, user: str, content: Json) -> View:
        """Put a modal on top of those open; ViewError at three."""
        stack = self._stacks.get(user)
        if not stack:
            raise ViewError("not_found")
        if len(stack) >= MODAL_STACK:
            raise ViewError("push_limit_reached")
        self._check_external_id(content)
        view = self._make(user, content, stack[-1])
        stack.append(view)
        self._tell("view_push", view)
        return view

    def update(self, view: View, content: Json, view_hash: str = "") -> View:
        """Replace what a view shows; input values stay where block and action stay."""
        if view_hash and view_hash != view.hash:
            raise ViewError("hash_conflict")
        if content["type"] != view.content["type"]:
            raise ViewError("view_type_mismatch")
        if content.get("external_id", "") != view.external_id:
            self._check_external_id(content)
        view.content = content | {"blocks": with_ids(content["blocks"])}
        view.hash = self._new_hash(view.content)
        kept = {b["block_id"] for b in view.blocks}
        view.values = {block: values for block, values in view.values.items() if block in kept}
        self._tell("home" if view.is_home else "view_update", view)
        return view

    def publish_home(self, user: str, content: Json, view_hash: str = "") -> View:
        """Set a user's Home tab."""
        current = self._homes.get(user)
        if current is not None:
            return self.update(current, content, view_hash)
        self._check_external_id(content)
        self._homes[user] = self._make(user, content)
        self._tell("home", self._homes[user])
        return self._homes[user]

    def close(self, view: View) -> None:
        """Take one modal, and those above it, off the screen."""
        stack = self._stacks.get(view.user, [])
        if view in stack:
            del stack[stack.index(view) :]
            self._tell("view_close", view)

    def clear(self, user: str) -> list[View]:
        """Take all of a user's modals off the screen and return them."""
        closed = self._stacks.pop(user, [])
        for view in reversed(closed):
            self._tell("view_close", view)
        return closed

    # JSON

    def to_api(self, view: View) -> Json:
        """Return the view object of views.* answers and interactive payloads."""
        app = self._owner.app
        defaults: Json = {
            "private_metadata": "",
            "callback_id": "",
            "external_id": "",
            "title": None,
            "submit": None,
            "close": None,
            "clear_on_close": False,
            "notify_on_close": False,
        }
        return copy.deepcopy(
            defaults
            | view.content
            | {
                "id": view.id,
                "team_id": self._owner.team_id,
                "state": {"values": view.values},
                "hash": view.hash,
                "previous_view_id": view.previous_view_id,
                "root_view_id": view.root_view_id,
                "app_id": app.app_id,
                "app_installed_team_id": self._owner.team_id,
                "bot_id": app.bot_id,
            }
        )

    def _make(self, user: str, content: Json, below: View | None = None) -> View:
        view_id = random_id("V")
        filled = content | {"blocks": with_ids(content["blocks"])}
        return View(
            id=view_id,
            user=user,
            content=filled,
            hash=self._new_hash(filled),
            root_view_id=below.root_view_id if below else view_id,
            previous_view_id=below.id if below else None,
        )

    def _new_hash(self, content: Json) -> str:
        digest = hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()[:8]
        return f"{int(self._clock())}.{digest}{secrets.token_hex(2)}"

    def _check_external_id(self, content: Json) -> None:
        external_id = str(content.get("external_id") or "")
        if external_id and self.find(external_id=external_id) is not None:
            raise ViewError("duplicate_external_id")

    def _tell(self, kind: str, view: View) -> None:
        event = {"type": kind, "view": self.to_api(view)}
        self._feed.publish(Change(kind, lambda _user: event, frozenset({view.user})))
