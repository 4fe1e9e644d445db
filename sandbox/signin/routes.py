"""The HTTP API by which the workspace's page shows and turns the sign-in switches."""

from typing import cast

from aiohttp import web

from sandbox.mail.tokens import TokenProvider
from sandbox.signin.registry import APP, Registry


def routes(registry: Registry) -> list[web.RouteDef]:
    """Every route, bound to one registry."""

    async def show(_request: web.Request) -> web.Response:
        return web.json_response(listed(registry))

    async def turn(request: web.Request) -> web.Response:
        return await _turn(registry, request)

    return [
        web.get("/sandbox/signin", show),
        web.post("/sandbox/signin/{provider}/{target}/{switch}", turn),
    ]


def listed(registry: Registry) -> dict[str, object]:
    """Every app and account with its switches."""
    return {"providers": [_provider(registry, provider) for provider in registry.apps]}


def _provider(registry: Registry, provider: TokenProvider) -> dict[str, object]:
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


async def _turn(registry: Registry, request: web.Request) -> web.Response:
    try:
        body = await request.json()
    except ValueError:
        return _refused(400, "bad_json", "The request is not JSON.")
    if not isinstance(body, dict) or "value" not in body:
        return _refused(400, "bad_json", "The request is not a JSON object with a value.")
    place = request.match_info
    try:
        provider = cast(TokenProvider, place["provider"])
        registry.turn(provider, place["target"], place["switch"], body["value"])
    except KeyError:
        return _refused(404, "no_target", "There is no such provider, app or account.")
    except ValueError as wrong:
        return _refused(400, "bad_switch", str(wrong))
    return web.json_response({"ok": True, **listed(registry)})


def _refused(status: int, error: str, message: str) -> web.Response:
    return web.json_response({"error": error, "message": message}, status=status)
