"""files.* methods: announcing an upload, completing it, and looking a file up."""

from typing import Any

from sandbox.slack.config import Json
from sandbox.slack.files import MOST_BYTES, SlackFile
from sandbox.slack.model import Channel, Message
from sandbox.slack.posting import RefusedError, invalid_arguments, read_list
from sandbox.slack.web_api.chat import may_write
from sandbox.slack.web_api.context import Call, Method

ALT_TEXT = 1_000
_MOST_AT_ONCE = 10


async def get_upload_url(call: Call) -> Json:
    """files.getUploadURLExternal: an address for exactly so many bytes."""
    name, length = call.text("filename"), call.text("length")
    if not length.isdecimal():
        raise invalid_arguments("must provide an integer [json-pointer:/length]")
    if not int(length):
        raise RefusedError("missing_argument")
    if int(length) > MOST_BYTES:
        raise RefusedError("file_upload_size_restricted")
    alt_txt = call.text("alt_txt", "")
    if len(alt_txt) > ALT_TEXT:
        raise RefusedError("alt_txt_too_large")
    file = call.services.files.announce(name, int(length), alt_txt, call.bot)
    url = f"{call.services.base_url()}/upload/v1/{file.ticket}"
    return {"ok": True, "upload_url": url, "file_id": file.id}


async def complete_upload(call: Call) -> Json:
    """files.completeUploadExternal: all the files, or none; shared in a message where conversations are named."""
    named = read_list(call.arguments, "files", "invalid_arguments")
    if not named or len(named) > _MOST_AT_ONCE:
        raise invalid_arguments(f"must provide 1 to {_MOST_AT_ONCE} files [json-pointer:/files]")
    files = [_uploaded(call, one) for one in named]
    channels = _channels(call)
    thread_ts = _thread(call, channels)
    for file, one in zip(files, named, strict=True):
        file.complete, file.title = True, str(one.get("title") or file.name)
    for channel in channels:
        _share(call, channel, files, thread_ts)
    return {"ok": True, "files": [file.to_api() for file in files]}


def _uploaded(call: Call, named: Any) -> SlackFile:
    if not isinstance(named, dict) or not isinstance(named.get("id"), str):
        raise invalid_arguments("must provide an object with an id [json-pointer:/files/0]")
    file = call.services.files.get(named["id"])
    if file is None or file.content is None or file.complete:
        raise RefusedError("file_not_found")
    return file


def _channels(call: Call) -> list[Channel]:
    """Conversations by id only: names are not understood here."""
    wanted = [call.text("channel_id", ""), *call.text("channels", "").split(",")]
    found = []
    for name in dict.fromkeys(one.strip() for one in wanted if one.strip()):
        channel = call.workspace.channels.get(name)
        if channel is None or not call.workspace.sees(call.bot, channel):
            raise RefusedError("channel_not_found")
        may_write(call, channel)
        found.append(channel)
    return found


def _thread(call: Call, channels: list[Channel]) -> str | None:
    thread_ts = call.text("thread_ts", "") or None
    if thread_ts is None:
        return None
    if len(channels) != 1:
        raise invalid_arguments("thread_ts needs exactly one channel")
    if call.workspace.message(channels[0].id, thread_ts) is None:
        raise RefusedError("thread_not_found")
    return thread_ts


def _share(call: Call, channel: Channel, files: list[SlackFile], thread_ts: str | None) -> None:
    message = call.workspace.post(
        Message(
            ts="",
            channel=channel.id,
            user=call.bot,
            text=call.text("initial_comment", ""),
            by_bot=True,
            thread_ts=thread_ts,
            files=[file.to_api() for file in files],
        )
    )
    for file in files:
        file.shared[channel.id] = message.ts


async def info(call: Call) -> Json:
    """files.info: what is known of a complete file."""
    file = call.services.files.get(call.text("file"))
    if file is None or not file.complete:
        raise RefusedError("file_not_found")
    shares: dict[str, dict[str, list[Json]]] = {}
    for channel_id, ts in file.shared.items():
        kind = "public" if call.workspace.channels[channel_id].kind == "channel" else "private"
        shares.setdefault(kind, {})[channel_id] = [{"ts": ts}]
    return {"ok": True, "file": file.to_api() | {"shares": shares}}


METHODS: dict[str, Method] = {
    "files.getUploadURLExternal": Method(get_upload_url, ("files:write",), per_minute=100),
    "files.completeUploadExternal": Method(complete_upload, ("files:write",), per_minute=100),
    "files.info": Method(info, ("files:read",), per_minute=100),
}
