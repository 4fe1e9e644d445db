"""The HTTP API by which the workspace's page shows the telephones and turns the provider's switches."""

from collections.abc import Callable
from typing import Any

from aiohttp import web

from sandbox.sms.book import Text, TextBook, plain
from sandbox.sms.switches import SWITCHES


def routes(book: TextBook) -> list[web.RouteDef]:
    """Every route, bound to one provider."""

    async def show(_request: web.Request) -> web.Response:
        return web.json_response(listed(book))

    async def turn(request: web.Request) -> web.Response:
        return await _change(book, request, lambda body: book.turn(str(body.get("name")), body["value"]))

    async def stop(request: web.Request) -> web.Response:
        return await _change(book, request, lambda body: _stop(book, body))

    return [
        web.get("/sandbox/sms", show),
        web.post("/sandbox/sms/switch", turn),
        web.post("/sandbox/sms/stop", stop),
    ]


def listed(book: TextBook) -> dict[str, object]:
    """Every telephone with its texts, oldest first; those that got one last come first. And the switches."""
    numbers = dict.fromkeys([*(text.to for text in reversed(book.texts)), *book.names])
    return {
        "phones": [_phone(book, number) for number in numbers],
        "switches": [switch.described(book.values[switch.name]) for switch in SWITCHES],
        "total": len(book.texts),
    }


def _phone(book: TextBook, number: str) -> dict[str, object]:
    return {
        "number": number,
        "name": book.names.get(number, ""),
        "stopped": number in book.stopped,
        "texts": [_text(text) for text in book.texts if text.to == number and text.status != "undelivered"],
    }


def _text(text: Text) -> dict[str, object]:
    return {"sid": text.sid, "from": text.sender, "text": text.body, "date": text.created.isoformat()}


def _stop(book: TextBook, body: dict[str, Any]) -> None:
    number, value = body.get("number"), body["value"]
    if not isinstance(number, str) or not plain(number) or not isinstance(value, bool):
        raise ValueError("stop takes a number, and true or false")
    book.stop(number, on=value)


async def _change(book: TextBook, request: web.Request, change: Callable[[dict[str, Any]], None]) -> web.Response:
    try:
        body = await request.json()
    except ValueError:
        body = None
    if not isinstance(body, dict) or "value" not in body:
        return _refused("bad_json", "The request is not a JSON object with a value.")
    try:
        change(body)
    except ValueError as wrong:
        return _refused("bad_switch", str(wrong))
    return web.json_response({"ok": True, **listed(book)})


def _refused(error: str, message: str) -> web.Response:
    return web.json_response({"error": error, "message": message}, status=400)
