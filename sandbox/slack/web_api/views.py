"""views.* and blocks.validate."""

import json
from typing import Any

from sandbox.slack.block_kit import Problem, check_attachments, check_blocks, check_view, view_is_too_large
from sandbox.slack.config import Json
from sandbox.slack.model import View
from sandbox.slack.posting import RefusedError, invalid_arguments, parsed
from sandbox.slack.views import ViewError
from sandbox.slack.web_api.context import Call, Method


def _content(call: Call, kind: str) -> Json:
    """Return the checked ``view`` argument; invalid_arguments with every problem's pointer."""
    view = parsed(call.arguments.get("view"), "invalid_arguments")
    if view is None:
        raise invalid_arguments("missing required field: view")
    problems = check_view(view)
    if problems:
        raise invalid_arguments("failed to match all allowed schemas [json-pointer:/view]", *(str(p) for p in problems))
    if view["type"] != kind:
        raise invalid_arguments(f"unsupported type: {view['type']} [json-pointer:/view/type]")
    if view_is_too_large(view):
        raise RefusedError("view_too_large")
    found: Json = view
    return found


async def open_view(call: Call) -> Json:
    """views.open: spends a trigger_id."""
    content = _content(call, "modal")
    trigger = _trigger(call)
    views = call.workspace.views
    try:
        spent = views.use_trigger(trigger)
        view = views.open(spent.user, content)
    except ViewError as error:
        raise RefusedError(error.code) from error
    return _answer(call, view)


async def push_view(call: Call) -> Json:
    """views.push: spends a trigger_id that came from a modal."""
    content = _content(call, "modal")
    trigger = _trigger(call)
    views = call.workspace.views
    try:
        spent = views.use_trigger(trigger)
        view = views.push(spent.user, content)
    except ViewError as error:
        raise RefusedError(error.code) from error
    return _answer(call, view)


def _trigger(call: Call) -> str:
    return call.text("trigger_id", "") or call.text("interactivity_pointer")


async def update_view(call: Call) -> Json:
    """views.update: by view_id or external_id, guarded by ``hash`` if one is given."""
    view_id, external_id = call.text("view_id", ""), call.text("external_id", "")
    if not (view_id or external_id):
        raise invalid_arguments("missing required field: view_id")
    view = call.workspace.views.find(view_id=view_id, external_id=external_id)
    if view is None:
        raise RefusedError("not_found")
    content = _content(call, str(view.content["type"]))
    try:
        view = call.workspace.views.update(view, content, call.text("hash", ""))
    except ViewError as error:
        raise RefusedError(error.code) from error
    return _answer(call, view)


async def publish_view(call: Call) -> Json:
    """views.publish: a user's Home tab."""
    if not call.workspace.app.home_tab:
        raise RefusedError("not_enabled")
    content = _content(call, "home")
    user = call.user("user_id")
    try:
        view = call.workspace.views.publish_home(user.id, content, call.text("hash", ""))
    except ViewError as error:
        raise RefusedError(error.code) from error
    return _answer(call, view)


def _answer(call: Call, view: View) -> Json:
    return {"ok": True, "view": call.workspace.views.to_api(view)}


async def validate(call: Call) -> Json:
    """blocks.validate: exactly one of blocks, message and view; pointers count from its root."""
    given = {
        name: parsed(call.arguments[name], "invalid_arguments")
        for name in ("blocks", "message", "view")
        if call.arguments.get(name)
    }
    if len(given) != 1:
        raise invalid_arguments("provide exactly one of blocks, view, or message")
    kind, value = next(iter(given.items()))
    problems = _problems(kind, value)
    if problems:
        raise RefusedError(f"invalid_{kind}", errors=[_problem(p) for p in problems])
    return {"ok": True}


def _problems(kind: str, value: Any) -> list[Problem]:
    if kind == "blocks":
        return check_blocks(value, pointer="")
    if kind == "view":
        return check_view(value, pointer="")
    if not isinstance(value, dict):
        return [Problem("", "invalid_type", "must provide an object")]
    return check_blocks(value.get("blocks") or []) + check_attachments(value.get("attachments") or [])


def _problem(problem: Problem) -> Json:
    found: Json = {"pointer": problem.pointer, "code": problem.code, "message": problem.message}
    if problem.constraint is not None:
        found["constraint"] = json.loads(json.dumps(problem.constraint))
    return found


METHODS: dict[str, Method] = {
    "views.open": Method(open_view, per_minute=100),
    "views.push": Method(push_view, per_minute=100),
    "views.update": Method(update_view, per_minute=100),
    "views.publish": Method(publish_view, per_minute=100),
    "blocks.validate": Method(validate, token="none", per_minute=100),
}
