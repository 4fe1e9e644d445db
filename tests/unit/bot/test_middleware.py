"""Who asks, and what they may do."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from slack_sdk.web.async_client import AsyncWebClient

from bot.slack.middleware import ROLE_SECONDS, RoleBook, Rush, origin_of
from bot.slack.uses import Origin
from core.domain.actor import Role
from core.errors import NotAllowedError, RefusedError, SlackUnknownError

TEAM = "T0AGENCY"


@dataclass
class HandClock:
    """A clock that stands until it is moved."""

    seconds: float = 100.0

    def now(self) -> datetime:
        return datetime(2026, 11, 21, tzinfo=UTC) + timedelta(seconds=self.seconds)

    def monotonic(self) -> float:
        return self.seconds


@dataclass
class People(AsyncWebClient):
    """users.info from memory."""

    profile: dict[str, Any] = field(default_factory=dict)
    failure: Exception | None = None
    asked: int = 0

    async def users_info(self, **_: Any) -> Any:
        self.asked += 1
        if self.failure:
            raise self.failure
        return {"ok": True, "user": {"id": "U0RITA", "team_id": TEAM} | self.profile}


@pytest.mark.parametrize(
    ("profile", "role"),
    [
        ({}, Role.RECRUITER),
        ({"is_admin": True}, Role.ADMIN),
        ({"is_owner": True}, Role.ADMIN),
        ({"team_id": "T0OTHER", "enterprise_user": {"teams": [TEAM]}}, Role.RECRUITER),
    ],
)
async def test_members_are_recruiters_and_slacks_admins_are_ours(profile: dict[str, Any], role: Role) -> None:
    actor = await RoleBook(People(profile), (), HandClock()).actor(TEAM, "U0RITA")
    assert (actor.workspace, actor.user, actor.role) == (TEAM, "U0RITA", role)


async def test_the_settings_name_further_admins() -> None:
    assert (await RoleBook(People(), ("U0RITA",), HandClock()).actor(TEAM, "U0RITA")).role is Role.ADMIN


@pytest.mark.parametrize(
    ("profile", "words"),
    [
        ({"is_restricted": True}, "Guests"),
        ({"is_ultra_restricted": True, "is_admin": True}, "Guests"),
        ({"team_id": "T0OTHER"}, "another workspace"),
        ({"is_stranger": True}, "another workspace"),
        ({"is_bot": True}, "Apps and bots"),
        ({"id": "USLACKBOT"}, "Apps and bots"),
        ({"deleted": True}, "deactivated"),
    ],
)
async def test_guests_strangers_and_bots_are_refused_even_as_named_admins(profile: dict[str, Any], words: str) -> None:
    with pytest.raises(NotAllowedError, match=words):
        await RoleBook(People(profile), ("U0RITA",), HandClock()).actor(TEAM, "U0RITA")


async def test_slack_is_asked_again_after_some_minutes() -> None:
    people, clock = People({"is_admin": True}), HandClock()
    book = RoleBook(people, (), clock)
    assert (await book.actor(TEAM, "U0RITA")).role is Role.ADMIN
    people.profile = {}
    assert (await book.actor(TEAM, "U0RITA")).role is Role.ADMIN
    clock.seconds += ROLE_SECONDS + 1
    assert (await book.actor(TEAM, "U0RITA")).role is Role.RECRUITER
    assert people.asked == 2


async def test_where_slack_does_not_say_nobody_is_anybody() -> None:
    people = People(failure=TimeoutError())
    book = RoleBook(people, ("U0RITA",), HandClock())
    with pytest.raises(SlackUnknownError):
        await book.actor(TEAM, "U0RITA")
    people.failure = None
    assert (await book.actor(TEAM, "U0RITA")).role is Role.ADMIN


def test_a_key_held_down_is_stopped_and_others_are_not() -> None:
    clock = HandClock()
    rush = Rush(clock, most=3, per_second=1)
    for _ in range(3):
        rush.admit(TEAM, "U0RITA")
    with pytest.raises(RefusedError, match="a lot at once"):
        rush.admit(TEAM, "U0RITA")
    rush.admit(TEAM, "U0OMAR")
    clock.seconds += 1
    rush.admit(TEAM, "U0RITA")


@pytest.mark.parametrize(
    ("body", "origin"),
    [
        (
            {"team_id": TEAM, "user_id": "U0RITA", "channel_id": "C1", "trigger_id": "1.2", "response_url": "http://x"},
            Origin(TEAM, "U0RITA", "trigger:1.2", "C1", "http://x", "1.2"),
        ),
        (
            {
                "type": "block_actions",
                "team": {"id": TEAM},
                "user": {"id": "U0RITA"},
                "trigger_id": "1.2",
                "container": {"type": "view"},
                "view": {"type": "home", "id": "V1"},
            },
            Origin(TEAM, "U0RITA", "trigger:1.2", None, None, "1.2", home=True),
        ),
        (
            {"team_id": TEAM, "event_id": "Ev1", "event": {"type": "app_home_opened", "user": "U0RITA"}},
            Origin(TEAM, "U0RITA", "event:Ev1", home=True),
        ),
        (
            {
                "type": "view_submission",
                "team": {"id": TEAM},
                "user": {"id": "U0RITA"},
                "view": {"id": "V1", "hash": "h", "type": "modal"},
                "trigger_id": "1.2",
            },
            Origin(TEAM, "U0RITA", "view:V1:h", None, None, "1.2"),
        ),
        ({"team_id": TEAM}, None),
        ({"team": None, "user": {"id": "U0RITA"}}, None),
        ({"team_id": TEAM, "user": "U0RITA"}, None),
        ({"team_id": 5, "user_id": ["U0RITA"]}, None),
        ({}, None),
    ],
)
def test_who_asked_is_read_from_every_kind_of_payload(body: dict[str, Any], origin: Origin | None) -> None:
    assert origin_of(body) == origin
