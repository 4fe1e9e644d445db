"""What becomes of a window that was filled in."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Generic, TypeVar

from bot.slack.form_values import Faults, Values
from bot.slack.uses import Answer
from core.domain.actor import Actor

Request = TypeVar("Request")


@dataclass(frozen=True, slots=True)
class Submission(Generic[Request]):
    """``read`` is pure and quick: the request in what was filled in and what the window carried, or what is wrong with
    it, by input. ``story`` then does it. Where it ``stays`` the window shows the answer, or itself again with what went
    wrong; else it closes, and the answer goes to where the window was asked for."""

    read: Callable[[Values, Mapping[str, str]], Request | Faults]
    story: Callable[[Actor, Request], Awaitable[Answer]]
    stays: bool = False
