"""Whether this process lives and whether it can work: /healthz and /readyz."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Final

from aiohttp import web

log = logging.getLogger("rethread.web")

_MOST_LAG_SECONDS: Final = 5.0
_READY_SECONDS: Final = 4.0


@dataclass(frozen=True, slots=True)
class PartState:
    """One part of the program: ``detail`` is a few words for the operator, never a secret."""

    ok: bool
    detail: str = ""


class Health:
    """``loop_lag``: seconds by which the event loop's watchdog is late; ``parts``: each part's state by name."""

    def __init__(
        self, *, loop_lag: Callable[[], float], parts: Callable[[], Awaitable[Mapping[str, PartState]]]
    ) -> None:
        self._loop_lag = loop_lag
        self._parts = parts

    async def alive(self, _: web.Request) -> web.Response:
        """``{alive, loop_lag_s}``; 503 where the loop stood still for five seconds."""
        lag = self._loop_lag()
        alive = lag < _MOST_LAG_SECONDS
        return web.json_response({"alive": alive, "loop_lag_s": round(lag, 3)}, status=200 if alive else 503)

    async def ready(self, _: web.Request) -> web.Response:
        """``{ready, parts: {name: {ok, detail}}}``; 503 unless every part is well."""
        states = await self._states()
        ready = all(state.ok for state in states.values())
        parts = {name: {"ok": state.ok, "detail": state.detail} for name, state in states.items()}
        return web.json_response({"ready": ready, "parts": parts}, status=200 if ready else 503)

    async def _states(self) -> Mapping[str, PartState]:
        try:
            async with asyncio.timeout(_READY_SECONDS):
                return await self._parts()
        except TimeoutError:
            return {"answer": PartState(ok=False, detail="the parts did not answer in time")}
        except Exception as error:
            # A probe must get an answer; what went wrong is in the log.
            log.exception("action=ready_failed")
            return {"answer": PartState(ok=False, detail=type(error).__name__)}
