"""conversations.* methods."""

from sandbox.slack.config import Json
from sandbox.slack.model import Message
from sandbox.slack.posting import RefusedError, invalid_arguments
from sandbox.slack.web_api.context import Call, Method, page_of

_TYPES = {"public_channel": "channel", "private_channel": "private", "im": "dm", "mpim": "mpim"}
_READ = {"channel": "channels:read", "private": "groups:read", "dm": "im:read", "mpim": "mpim:read"}
_HISTORY = {"channel": "channels:history", "private": "groups:history", "dm": "im:history"}


async def list_conversations(call: Call) -> Json:
    """conversations.list: each type needs its own scope; private ones only where the bot is."""
    names = [name.strip() for name in call.text("types", "public_channel").split(",")]
    if any(name not in _TYPES for name in names):
        raise RefusedError("invalid_types")
    kinds = {_TYPES[name] for name in names}
    for kind in sorted(kinds):
        call.need_scope(_READ[kind])
    hide_archived = call.flag("exclude_archived")
    found = [
        channel
        for channel in call.workspace.channels.values()
        if channel.kind in kinds and call.workspace.sees(call.bot, channel) and not (hide_archived and channel.archived)
    ]
    return page_of(call, found, "channels", lambda channel: channel.to_api(call.bot))


async def info(call: Call) -> Json:
    """conversations.info."""
    channel = call.channel()
    call.need_scope(_READ[channel.kind])
    found = channel.to_api(call.bot)
    if channel.kind != "dm" and not call.flag("include_num_members"):
        found.pop("num_members")
    return {"ok": True, "channel": found}


async def open_conversation(call: Call) -> Json:
    """conversations.open: the direct message with one person."""
    if call.text("channel", ""):
        channel, was_open = call.channel(), True
    else:
        names = [name.strip() for name in call.text("users").split(",") if name.strip()]
        if len(names) != 1:
            raise invalid_arguments("the stand-in opens direct messages with one user only")
        if names[0] not in call.workspace.users:
            raise RefusedError("user_not_found")
        if names[0] == call.bot:
            raise RefusedError("invalid_users")
        channel, was_open = call.workspace.direct_message(names[0])
    found = channel.to_api(call.bot) if call.flag("return_im") else {"id": channel.id}
    answer: Json = {"ok": True, "channel": found}
    return answer | ({"no_op": True, "already_open": True} if was_open else {})


async def join(call: Call) -> Json:
    """conversations.join: public channels only."""
    channel = call.channel()
    if channel.kind != "channel":
        raise RefusedError("method_not_supported_for_channel_type")
    if channel.archived:
        raise RefusedError("is_archived")
    answer: Json = {"ok": True}
    if call.workspace.join(call.bot, channel):
        call.services.events.joined(channel, call.bot)
    else:
        answer |= {"warning": "already_in_channel", "response_metadata": {"warnings": ["already_in_channel"]}}
    return answer | {"channel": channel.to_api(call.bot)}


async def leave(call: Call) -> Json:
    """conversations.leave."""
    channel = call.channel()
    if channel.kind == "dm":
        raise RefusedError("method_not_supported_for_channel_type")
    if not call.workspace.leave(call.bot, channel):
        return {"ok": True, "not_in_channel": True}
    call.services.events.left(channel, call.bot)
    return {"ok": True}


async def members(call: Call) -> Json:
    """conversations.members."""
    channel = call.channel()
    call.need_scope(_READ[channel.kind])
    return page_of(call, sorted(channel.members), "members", lambda member: member)


async def history(call: Call) -> Json:
    """conversations.history: newest first, thread replies left out."""
    channel = call.channel()
    call.need_scope(_HISTORY[channel.kind])
    if call.bot not in channel.members:
        raise RefusedError("not_in_channel")
    found = [m for m in call.workspace.messages(channel.id) if m.top_level and _within(call, m)]
    return _messages(call, found[::-1])


async def replies(call: Call) -> Json:
    """conversations.replies: the parent first, then its thread in order."""
    channel = call.channel()
    call.need_scope(_HISTORY[channel.kind])
    if call.bot not in channel.members:
        raise RefusedError("not_in_channel")
    parent = call.workspace.message(channel.id, call.text("ts"))
    if parent is None:
        raise RefusedError("thread_not_found")
    inside = [call.workspace.message(channel.id, ts) for ts in parent.replies]
    found = [parent, *(m for m in inside if m is not None and _within(call, m))]
    return _messages(call, found)


def _within(call: Call, message: Message) -> bool:
    oldest, latest = call.text("oldest", "0"), call.text("latest", "9999999999")
    try:
        low, high, at = float(oldest), float(latest), float(message.ts)
    except ValueError:
        raise RefusedError("invalid_ts_oldest") from None
    return low <= at <= high if call.flag("inclusive") else low < at < high


def _messages(call: Call, found: list[Message]) -> Json:
    with_metadata = call.flag("include_all_metadata")
    answer = page_of(
        call,
        found,
        "messages",
        lambda message: call.workspace.message_for_api(message, with_metadata=with_metadata),
    )
    return answer | {"has_more": bool(answer["response_metadata"]["next_cursor"]), "pin_count": 0}


METHODS: dict[str, Method] = {
    "conversations.list": Method(list_conversations, per_minute=20),
    "conversations.info": Method(info),
    "conversations.open": Method(open_conversation, ("im:write", "mpim:write")),
    "conversations.join": Method(join, ("channels:join",)),
    "conversations.leave": Method(leave, ("channels:manage", "channels:join", "groups:write")),
    "conversations.members": Method(members, per_minute=100),
    "conversations.history": Method(history),
    "conversations.replies": Method(replies),
}
