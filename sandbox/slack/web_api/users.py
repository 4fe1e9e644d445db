"""users.*, bots.*, team.*, auth.*, apps.* and oauth.* methods."""

from sandbox.slack.config import Json
from sandbox.slack.model import User
from sandbox.slack.posting import RefusedError
from sandbox.slack.web_api.context import Call, Method, page_of


def _user(call: Call, user: User) -> Json:
    with_email = "users:read.email" in call.services.tokens.scopes
    return user.to_api(call.workspace.team_id, with_email=with_email)


async def list_users(call: Call) -> Json:
    """users.list."""
    every = list(call.workspace.users.values())
    answer = page_of(call, every, "members", lambda user: _user(call, user))
    return answer | {"cache_ts": int(call.workspace.clock())}


async def user_info(call: Call) -> Json:
    """users.info."""
    return {"ok": True, "user": _user(call, call.user())}


async def lookup_by_email(call: Call) -> Json:
    """users.lookupByEmail."""
    user = call.workspace.user_by_email(call.text("email"))
    if user is None:
        raise RefusedError("users_not_found")
    return {"ok": True, "user": _user(call, user)}


async def bot_info(call: Call) -> Json:
    """bots.info."""
    app = call.workspace.app
    if call.text("bot", app.bot_id) != app.bot_id:
        raise RefusedError("bot_not_found")
    return {"ok": True, "bot": call.workspace.bot_profile()}


async def team_info(call: Call) -> Json:
    """team.info."""
    workspace = call.workspace
    return {
        "ok": True,
        "team": {
            "id": workspace.team_id,
            "name": workspace.team_name,
            "domain": workspace.team_domain,
            "email_domain": f"{workspace.team_domain}.test",
            "url": f"{call.services.base_url()}/",
            "icon": {"image_default": True},
        },
    }


async def auth_test(call: Call) -> Json:
    """auth.test: works with the bot's token and, with less in it, the app-level one."""
    workspace, app = call.workspace, call.workspace.app
    if call.token == call.services.tokens.app:
        return {"ok": True, "app_name": app.name, "app_id": app.app_id}
    return {
        "ok": True,
        "url": f"{call.services.base_url()}/",
        "team": workspace.team_name,
        "user": workspace.users[app.bot_user_id].name,
        "team_id": workspace.team_id,
        "user_id": app.bot_user_id,
        "bot_id": app.bot_id,
        "is_enterprise_install": False,
    }


async def auth_revoke(call: Call) -> Json:
    """auth.revoke: the bot token stops working."""
    if not call.flag("test"):
        call.services.tokens.state = "token_revoked"
    return {"ok": True, "revoked": not call.flag("test")}


async def api_test(call: Call) -> Json:
    """api.test: echoes its arguments, or fails with the error asked for."""
    if error := call.text("error", ""):
        raise RefusedError(error, args=call.arguments)
    return {"ok": True, "args": call.arguments}


async def open_connection(call: Call) -> Json:
    """apps.connections.open: a WebSocket address with a one-time ticket."""
    ticket = call.services.sockets.new_ticket()
    base = call.services.base_url().replace("http://", "ws://", 1)
    return {"ok": True, "url": f"{base}/link/?ticket={ticket}&app_id={call.workspace.app.app_id}"}


async def oauth_access(call: Call) -> Json:
    """oauth.v2.access: exchanges a code for the bot's token."""
    tokens, workspace = call.services.tokens, call.workspace
    if call.text("client_id") != tokens.client_id:
        raise RefusedError("invalid_client_id")
    if call.text("client_secret") != tokens.client_secret:
        raise RefusedError("bad_client_secret")
    refusal = tokens.spend_code(call.text("code"), call.text("redirect_uri", "") or None)
    if refusal is not None:
        raise RefusedError(refusal)
    return {
        "ok": True,
        "app_id": workspace.app.app_id,
        "authed_user": {"id": next(user.id for user in workspace.people() if user.is_admin)},
        "scope": ",".join(sorted(tokens.scopes)),
        "token_type": "bot",
        "access_token": tokens.bot,
        "bot_user_id": workspace.app.bot_user_id,
        "team": {"id": workspace.team_id, "name": workspace.team_name},
        "enterprise": None,
        "is_enterprise_install": False,
    }


METHODS: dict[str, Method] = {
    "users.list": Method(list_users, ("users:read",), per_minute=20),
    "users.info": Method(user_info, ("users:read",), per_minute=100),
    "users.lookupByEmail": Method(lookup_by_email, ("users:read.email",)),
    "bots.info": Method(bot_info, ("users:read",)),
    "team.info": Method(team_info, ("team:read",)),
    "auth.test": Method(auth_test, per_minute=600),
    "auth.revoke": Method(auth_revoke),
    "api.test": Method(api_test, token="none", per_minute=100),
    "apps.connections.open": Method(open_connection, token="app", per_minute=100),
    "oauth.v2.access": Method(oauth_access, token="none", per_minute=100),
}
