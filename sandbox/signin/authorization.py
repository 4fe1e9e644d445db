"""The authorisation request a browser brings (RFC 6749 section 4.1.1, RFC 7636), checked."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal
from urllib.parse import parse_qsl, urlencode

from aiohttp import web

from sandbox.signin.registry import App

MistakeKind = Literal["client", "redirect", "missing", "repeated", "response_type", "response_mode", "challenge"]

# 43 characters: SHA-256 in base64url without padding (RFC 7636 section 4.2).
_CHALLENGE = re.compile(r"[A-Za-z0-9_-]{43}", re.ASCII)


class MistakeError(Exception):
    """A request that is answered with an error page, and never by a redirect; ``subject`` is what is wrong."""

    def __init__(self, kind: MistakeKind, subject: str = "") -> None:
        super().__init__(f"{kind} {subject}")
        self.kind: MistakeKind = kind
        self.subject = subject


@dataclass(frozen=True, slots=True)
class AuthorizationRequest:
    """What the app asks for, and where the answer goes."""

    redirect_uri: str
    scopes: tuple[str, ...]
    state: str | None
    challenge: str
    login_hint: str
    nonce: str
    access_type: str
    prompts: tuple[str, ...]

    def answered(self, **parameters: str) -> web.Response:
        """The redirect that carries an answer, the state with it as it came."""
        if self.state is not None:
            parameters["state"] = self.state
        return web.Response(status=302, headers={"Location": f"{self.redirect_uri}?{urlencode(parameters)}"})

    def declined_address(self, **parameters: str) -> str:
        """Where a person goes who returns to the app without signing in."""
        return self.answered(**parameters).headers["Location"]


async def form_fields(request: web.Request) -> dict[str, str]:
    """The fields of a form as browsers and programs send it. Raises MistakeError where one is there twice."""
    body = await request.read()
    return single_values(parse_qsl(body.decode("utf-8", "replace"), keep_blank_values=True))


def single_values(parameters: Iterable[tuple[str, str]]) -> dict[str, str]:
    """The parameters by name. Raises MistakeError where one is there twice (RFC 6749 section 3.1)."""
    values: dict[str, str] = {}
    for name, value in parameters:
        if name in values:
            raise MistakeError("repeated", name)
        values[name] = value
    return values


def read_request(app: App, query: Iterable[tuple[str, str]]) -> AuthorizationRequest:
    """The request as both services understand it.

    Raises:
        MistakeError: it is not to be answered. App and address are checked before all else: until
            both are known, nothing may be sent anywhere.
    """
    values = single_values(query)
    if _required(values, "client_id") != app.client_id:
        raise MistakeError("client", values["client_id"])
    redirect_uri = _required(values, "redirect_uri")
    if not app.registers(redirect_uri):
        raise MistakeError("redirect", redirect_uri)
    if _required(values, "response_type") != "code":
        raise MistakeError("response_type", values["response_type"])
    if values.get("response_mode", "query") != "query":
        raise MistakeError("response_mode", values["response_mode"])
    scopes = tuple(_required(values, "scope").split())
    return AuthorizationRequest(
        redirect_uri=redirect_uri,
        scopes=scopes,
        state=values.get("state"),
        challenge=_challenge(values),
        login_hint=values.get("login_hint", ""),
        nonce=values.get("nonce", ""),
        access_type=values.get("access_type", "online"),
        prompts=tuple(values.get("prompt", "").split()),
    )


def _required(values: dict[str, str], name: str) -> str:
    if not values.get(name, "").strip():
        raise MistakeError("missing", name)
    return values[name]


def _challenge(values: dict[str, str]) -> str:
    """The S256 challenge, or nothing where the app uses none. Both services also take "plain"; we do not."""
    challenge, method = values.get("code_challenge", ""), values.get("code_challenge_method", "")
    if not challenge and not method:
        return ""
    if method != "S256" or not _CHALLENGE.fullmatch(challenge):
        raise MistakeError("challenge", method)
    return challenge
