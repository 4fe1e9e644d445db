"""The HTTP API by which the workspace's page shows and turns the sign-in switches."""

from typing import TYPE_CHECKING

from aiohttp import web

from sandbox.mail.tokens import TokenProvider
from sandbox.signin.registry import APP, CLIENT_IDS

if TYPE_CHECKING:
    from sandbox.signin.host import SignInHost


def routes(host: "SignInHost") -> list[web.RouteDef]:
    """Every route, bound to one host."""

    async def show(_request: web.Request) -> web.Response:
        return web.json_response(listed(host))

    async def turn(request: web.Request) -> web.Response:
        return await _turn(host, request)

    return [
        web.get("/sandbox/signin", show),
        web.post("/sandbox/signin/{provider}/{target}/{switch}", turn),
    ]


def listed(host: "SignInHost") -> dict[str, object]:
    """Every app and account with its switches."""
    return {"providers": [_provider(host, provider) for provider in CLIENT_IDS]}


def _provider(host: "SignInHost", provider: TokenProvider) -> dict[str, object]:
    registry = host.registry
    app = registry.apps[provider]
    return {
        "provider": provider,
        "label": provider.capitalize(),
        "app": {
            "target": APP,
            "name": app.name,
            "client_id": app.client_id,
            "switches": registry.describe_app(provider),
        },
        "accounts": [
            {
                "target": person.address,
                "address": person.address,
                "name": person.name,
                "switches": registry.describe_person(person),
            }
            for person in registry.people(provider)
        ],
    }


async def _turn(host: "SignInHost", request: web.Request) -> web.Response:
    try:
        body = await request.json()
    except ValueError:
        return _refused(400, "bad_json", "The request is not JSON.")
    if not isinstance(body, dict) or "value" not in body:
        return _refused(400, "bad_json", "The request is not a JSON object with a value.")
    place = request.match_info
    try:
        host.turn(place["provider"], place["target"], place["switch"], body["value"])
    except KeyError:
        return _refused(404, "no_target", "There is no such provider, app or account.")
    except ValueError as wrong:
        return _refused(400, "bad_switch", str(wrong))
    return web.json_response({"ok": True, **listed(host)})


def _refused(status: int, error: str, message: str) -> web.Response:
    return web.json_response({"error": error, "message": message}, status=status)
