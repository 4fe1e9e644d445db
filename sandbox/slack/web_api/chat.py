"""chat.* methods."""

from sandbox.slack.config import Json
from sandbox.slack.model import Channel
from sandbox.slack.posting import Content, RefusedError, post_as_bot, read_content
from sandbox.slack.web_api.context import Call, Method

UPDATE_TEXT = 4_000


async def post_message(call: Call) -> Json:
    """chat.postMessage: membership first, then the content."""
    channel = call.destination()
    may_write(call, channel)
    content = read_content(call.arguments)
    thread_ts = call.text("thread_ts", "") or None
    if thread_ts is not None:
        parent = call.workspace.message(channel.id, thread_ts)
        if parent is None or parent.thread_ts not in (None, parent.ts):
            raise RefusedError("cannot_reply_to_message")
    message = post_as_bot(
        call.workspace,
        channel.id,
        content,
        thread_ts=thread_ts,
        broadcast=call.flag("reply_broadcast"),
        client_msg_id=call.text("client_msg_id", "") or None,
    )
    return _with_warnings(
        {
            "ok": True,
            "channel": channel.id,
            "ts": message.ts,
            "message": call.workspace.message_for_api(message, with_metadata=True),
        },
        content,
    )


def may_write(call: Call, channel: Channel) -> None:
    """Refuse as Slack does where the bot must not write: is_archived, messages_tab_disabled, not_in_channel."""
    if channel.archived:
        raise RefusedError("is_archived")
    if channel.kind == "dm":
        if not call.workspace.app.messages_tab:
            raise RefusedError("messages_tab_disabled")
    elif call.bot not in channel.members and "chat:write.public" not in call.services.tokens.scopes:
        raise RefusedError("not_in_channel")


def _with_warnings(answer: Json, content: Content) -> Json:
    if content.warnings:
        answer["warning"] = ",".join(content.warnings)
        answer["response_metadata"] = {"warnings": content.warnings}
    return answer


async def update(call: Call) -> Json:
    """chat.update: text without blocks takes the blocks away; blocks leave no "(edited)" mark."""
    channel = call.channel()
    message = call.own_message(channel, call.text("ts"), "cant_update_message")
    if channel.archived:
        raise RefusedError("is_inactive")
    if len(str(call.arguments.get("text") or "")) > UPDATE_TEXT:
        raise RefusedError("msg_too_long")
    clears = any(call.arguments.get(name) in ([], "[]") for name in ("blocks", "attachments"))
    content = read_content(call.arguments, may_be_empty=clears)
    keeps_attachments = call.arguments.get("attachments") is None
    if content.metadata is not None:
        message.metadata = content.metadata
    call.workspace.edit(
        message,
        text=content.text,
        blocks=content.blocks,
        attachments=message.attachments if keeps_attachments else content.attachments,
        edited_by=None if content.blocks or content.attachments else call.bot,
    )
    return {
        "ok": True,
        "channel": channel.id,
        "ts": message.ts,
        "text": message.text,
        "message": call.workspace.message_for_api(message, with_metadata=True),
    }


async def delete(call: Call) -> Json:
    """chat.delete: the bot's own messages only."""
    channel = call.channel()
    message = call.own_message(channel, call.text("ts"), "cant_delete_message")
    call.workspace.delete(message)
    return {"ok": True, "channel": channel.id, "ts": message.ts}


async def post_ephemeral(call: Call) -> Json:
    """chat.postEphemeral: for one person who is in the channel."""
    channel = call.destination()
    user = call.workspace.users.get(call.text("user"))
    if channel.archived:
        raise RefusedError("is_archived")
    if channel.kind != "dm" and call.bot not in channel.members:
        raise RefusedError("not_in_channel")
    if user is None or user.id not in channel.members:
        raise RefusedError("user_not_in_channel")
    content = read_content(call.arguments)
    message = post_as_bot(
        call.workspace,
        channel.id,
        content,
        ephemeral_to=user.id,
        thread_ts=call.text("thread_ts", "") or None,
    )
    return {"ok": True, "message_ts": message.ts}


async def get_permalink(call: Call) -> Json:
    """chat.getPermalink: an address the stand-in's page understands."""
    channel = call.channel()
    ts = call.text("message_ts")
    message = call.workspace.message(channel.id, ts)
    if message is None:
        raise RefusedError("message_not_found")
    link = f"{call.services.base_url()}/archives/{channel.id}/p{ts.replace('.', '')}"
    if message.thread_ts not in (None, ts):
        link += f"?thread_ts={message.thread_ts}&cid={channel.id}"
    return {"ok": True, "channel": channel.id, "permalink": link}


async def add_reaction(call: Call) -> Json:
    """reactions.add: one of each name per user."""
    channel = call.channel()
    message = call.workspace.message(channel.id, call.text("timestamp"))
    if message is None:
        raise RefusedError("message_not_found")
    name = call.text("name").strip(":")
    if not call.workspace.react(message, name, call.bot):
        raise RefusedError("already_reacted")
    return {"ok": True}


METHODS: dict[str, Method] = {
    "chat.postMessage": Method(post_message, ("chat:write",), per_minute=600),
    "chat.update": Method(update, ("chat:write",)),
    "chat.delete": Method(delete, ("chat:write",)),
    "chat.postEphemeral": Method(post_ephemeral, ("chat:write",), per_minute=100),
    "chat.getPermalink": Method(get_permalink, per_minute=600),
    "reactions.add": Method(add_reaction, ("reactions:write",)),
}
