"""One connection of the fault server: reads commands, answers from the mailbox, breaks where a fault says so."""

from __future__ import annotations

import asyncio
import base64
import re
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

from tests.fakes.fault_imap_faults import Deed, Fault, Lies
from tests.fakes.fault_imap_fetch import fetch_answer, numbers_in, search, within
from tests.fakes.fault_imap_model import HeldFolder, HeldMail
from tests.fakes.fault_imap_profiles import Modseq

if TYPE_CHECKING:
    from tests.fakes.fault_imap import FaultImap

_FETCH = re.compile(r"(\S+) (\((?:[^()]|\((?:[^()]|\([^()]*\))*\))*\)|\S+)(?: \((CHANGEDSINCE) (\d+)[^)]*\))?\Z")
_LITERAL = re.compile(rb"\{(\d+)\+?\}\r\n\Z")
_NAME = re.compile(r'"((?:[^"\\]|\\.)*)"|(\S+)')
_FLUSH_AT = 256 * 1024


class SessionOverError(Exception):
    """The session ended by a fault, by LOGOUT or because the client has gone."""


class Session:
    """Answers one client at a time, command by command."""

    def __init__(self, server: FaultImap, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._server, self._reader, self._writer = server, reader, writer
        self._profile = server.profile
        self._out = bytearray()
        self._logged_in = self._enabled = False
        self._folder: HeldFolder | None = None
        self._view: list[HeldMail] = []
        self._told: dict[int, int] = {}
        self._news = server.box.watch()
        self._commands: dict[str, Callable[[str, str], Awaitable[str]]] = {
            "CAPABILITY": self._capability,
            "LOGIN": self._login,
            "AUTHENTICATE": self._authenticate,
            "ENABLE": self._enable,
            "LIST": self._list,
            "STATUS": self._status,
            "SELECT": self._select,
            "EXAMINE": self._select,
            "SEARCH": self._search,
            "FETCH": self._fetch,
            "APPEND": self._append,
            "NOOP": self._noop,
            "IDLE": self._idle,
            "LOGOUT": self._logout,
        }

    @property
    def _lies(self) -> Lies:
        """As they are now: a test may change them while a session stands."""
        return self._server.lies

    async def run(self) -> None:
        await self._pass("GREETING")
        code = f"[CAPABILITY {self._profile.early}] " if "SASL-IR" in self._profile.early else ""
        self._say(f"* OK {code}{self._profile.greeting}\r\n")
        while True:
            await self._flush()
            line = await self._line()
            tag, _, rest = line.partition(" ")
            name, _, args = rest.partition(" ")
            if name.upper() == "UID":
                name, _, args = args.partition(" ")
            secret = name.upper() in {"LOGIN", "AUTHENTICATE"}
            self._server.heard.append(f"{tag} {name}" if secret else line)
            await self._command(tag, name.upper(), args)

    def leave(self) -> None:
        self._server.box.unwatch(self._news)
        if self._logged_in:
            self._logged_in = False
            self._server.logged_in -= 1

    # Reading and writing

    async def _line(self) -> str:
        """The next line, any literals in it taken along as latin-1."""
        raw = await self._reader.readuntil(b"\r\n")
        while (literal := _LITERAL.search(raw)) is not None:
            self._say("+ go ahead\r\n")
            await self._flush()
            raw = raw[: literal.start()] + await self._reader.readexactly(int(literal[1]))
            raw += await self._reader.readuntil(b"\r\n")
        return raw[:-2].decode("latin-1")

    def _say(self, data: str | bytes) -> None:
        self._out += data.encode() if isinstance(data, str) else data

    async def _flush(self) -> None:
        data = bytes(self._out)
        self._out.clear()
        for piece in self._server.wire.cut(data):
            self._writer.write(piece)
            if self._server.wire.most:
                await asyncio.sleep(0)  # the client reads this piece before the next comes
                await asyncio.sleep(0)
        await self._writer.drain()

    async def _gone(self) -> None:
        """Waits in silence until the client goes."""
        while await self._reader.read(65_536):
            pass
        raise SessionOverError

    # Faults

    async def _pass(self, point: str) -> Fault | None:
        """Does what is due at a point; a fault that touches the answer itself is for the caller."""
        for fault in self._server.pass_by(point):
            match fault.do:
                case Deed.SAY:
                    self._say(fault.text)
                case Deed.HOLD:
                    await self._flush()
                    await self._server.release.wait()
                case Deed.ANSWER | Deed.WRONG_TAG:
                    return fault
                case _:
                    await self._end(fault)
        return None

    async def _end(self, fault: Fault) -> None:
        if fault.do is Deed.BYE:
            self._say(b"* BYE " + (fault.text or b"Server is going down") + b"\r\n")
        await self._flush()
        if fault.do is Deed.STALL:
            await self._gone()
        if fault.do is Deed.DROP:
            self._writer.transport.abort()
        raise SessionOverError

    async def _command(self, tag: str, name: str, args: str) -> None:
        handler = self._commands.get(name)
        if handler is None:
            self._say(f"{tag} BAD Unknown command {name}\r\n")
            return
        point = "LOGIN" if name == "AUTHENTICATE" else "SELECT" if name == "EXAMINE" else name
        fault = await self._pass(point)
        words = fault.text.decode() if fault else await handler(tag, args)
        at_end = await self._pass(f"{point}:tagged")
        if at_end is not None and at_end.do is Deed.WRONG_TAG:
            tag = "ZZZZ9999"
        elif at_end is not None:
            words = at_end.text.decode()
        self._say(f"{tag} {words}\r\n")
        if name == "LOGOUT" or (name == "LOGIN" and "[LIMIT]" in words):
            await self._flush()
            raise SessionOverError

    # Login

    async def _capability(self, tag: str, args: str) -> str:
        del tag, args
        self._say(f"* CAPABILITY {self._profile.late if self._logged_in else self._profile.early}\r\n")
        return "OK CAPABILITY completed"

    async def _login(self, tag: str, args: str) -> str:
        del tag
        user, password = (match[1] or match[2] for match in list(_NAME.finditer(args))[:2])
        box = self._server.box
        return self._admit((user, password) == (box.username, box.password))

    async def _authenticate(self, tag: str, args: str) -> str:
        del tag
        mechanism, _, initial = args.partition(" ")
        if not initial:
            self._say("+ \r\n")
            await self._flush()
            initial = await self._line()
        said, box = base64.b64decode(initial).decode(), self._server.box
        if mechanism == "XOAUTH2" and f"auth=Bearer {box.token}\1" not in said:
            challenge = b'{"status":"400","schemes":"Bearer","scope":"https://mail.example/"}'
            self._say(b"+ " + base64.b64encode(challenge) + b"\r\n")
            await self._flush()
            await self._line()
            return self._admit(False)
        return self._admit(mechanism == "XOAUTH2" or said == f"\0{box.username}\0{box.password}")

    def _admit(self, welcome: bool) -> str:
        if not welcome:
            return "NO [AUTHENTICATIONFAILED] Invalid credentials (Failure)"
        if self._profile.most_logins is not None and self._server.logged_in >= self._profile.most_logins:
            return f"NO {self._profile.too_many}"
        self._logged_in = True
        self._server.logged_in += 1
        return "OK authenticated (Success)"

    async def _logout(self, tag: str, args: str) -> str:
        del tag, args
        self._say("* BYE logging out\r\n")
        return "OK LOGOUT completed"

    async def _enable(self, tag: str, args: str) -> str:
        del tag
        self._enabled = self._enabled or "CONDSTORE" in args.upper()
        self._say(f"* ENABLED {self._profile.enabled}".rstrip() + "\r\n")
        return "OK Success"

    # Folders

    async def _list(self, tag: str, args: str) -> str:
        del tag
        _, asked, wanted = args.partition("STATUS (")
        for name, folder in self._server.box.folders.items():
            self._say(f'* LIST ({" ".join(folder.attributes)}) "/" "{name}"\r\n')
        for point in ("STATUS", "STATUS:tagged") if asked else ():  # RFC 5819: the numbers of all folders in one answer
            fault = await self._pass(point)
            if fault is not None and fault.do is Deed.ANSWER:
                return fault.text.decode()
            for folder in self._server.box.folders.values() if point == "STATUS" else ():
                self._tell_status(folder, wanted.partition(")")[0])
        return "OK LIST completed"

    def _named(self, args: str) -> HeldFolder | None:
        match = _NAME.match(args)
        name = "" if match is None else (match[1] or match[2] or "")
        return self._server.box.folders.get(name) or self._server.box.folders.get(
            self._profile.inbox if name.upper() == "INBOX" else name
        )

    def _modseq(self, folder: HeldFolder) -> int | None:
        when = self._profile.modseq
        if when is Modseq.NEVER or (when is Modseq.ENABLED and not self._enabled):
            return None
        return folder.modseq if self._lies.highestmodseq is None else self._lies.highestmodseq

    async def _status(self, tag: str, args: str) -> str:
        del tag
        folder = self._named(args)
        if folder is None:
            return "NO [NONEXISTENT] Unknown Mailbox"
        self._tell_status(folder, args[args.rfind("(") :].strip("()"))
        return "OK Success"

    def _tell_status(self, folder: HeldFolder, wanted: str) -> None:
        if "\\Noselect" in folder.attributes:
            return
        told = {
            "MESSAGES": self._lies.exists(len(folder.mails)),
            "UIDNEXT": folder.uidnext if self._lies.uidnext is None else self._lies.uidnext or None,
            "UIDVALIDITY": folder.uidvalidity if self._lies.uidvalidity is None else self._lies.uidvalidity,
            "HIGHESTMODSEQ": self._modseq(folder),
        }
        items = " ".join(f"{item} {told[item]}" for item in wanted.upper().split() if told.get(item) is not None)
        self._say(f'* STATUS "{folder.name}" ({items})\r\n')

    async def _select(self, tag: str, args: str) -> str:
        del tag
        self._folder, self._view, self._told = self._named(args), [], {}
        folder = self._folder
        if folder is None:
            return "NO [NONEXISTENT] Unknown Mailbox"
        self._enabled = self._enabled or "(CONDSTORE)" in args.upper()
        self._view = list(folder.mails)
        self._told = {mail.uid: mail.modseq for mail in self._view}
        self._say("* FLAGS (\\Answered \\Flagged \\Deleted \\Seen \\Draft)\r\n")
        self._say(f"* {self._exists} EXISTS\r\n* 0 RECENT\r\n")
        validity = folder.uidvalidity if self._lies.uidvalidity is None else self._lies.uidvalidity
        self._say(f"* OK [UIDVALIDITY {validity}] UIDs valid\r\n")
        uidnext = folder.uidnext if self._lies.uidnext is None else self._lies.uidnext
        self._say(f"* OK [UIDNEXT {uidnext}] Predicted next UID\r\n" if uidnext else "")
        if (modseq := self._modseq(folder)) is not None:
            self._say(f"* OK [HIGHESTMODSEQ {modseq}] Highest\r\n")
        if self._lies.vanished:
            self._say(f"* VANISHED (EARLIER) {self._lies.vanished}\r\n")
        return "OK [READ-WRITE] SELECT completed"

    @property
    def _exists(self) -> int:
        return self._lies.exists(len(self._view))

    async def _append(self, tag: str, args: str) -> str:
        del tag
        folder, parts = self._named(args), args.partition(") ")
        if folder is None:
            return "NO [TRYCREATE] Unknown Mailbox"
        folder.add(parts[2].encode("latin-1"), flags=["\\Seen"])
        return f"OK [APPENDUID {folder.uidvalidity} {folder.uidnext - 1}] APPEND completed"

    # Messages

    def _update(self) -> None:
        """Tells what changed in the selected folder since it was told last."""
        self._news.clear()
        if self._folder is None:
            return
        held = set(self._folder.uids)
        for position in range(len(self._view), 0, -1):
            if self._view[position - 1].uid not in held:
                del self._view[position - 1]
                self._say(f"* {position} EXPUNGE\r\n")
        new = [mail for mail in self._folder.mails if mail.uid not in self._told]
        self._view += new
        if new:
            self._say(f"* {self._exists} EXISTS\r\n")
            self._told |= {mail.uid: mail.modseq for mail in new}
        for sequence, mail in enumerate(self._view, start=1):
            if mail.modseq > self._told[mail.uid]:
                self._told[mail.uid] = mail.modseq
                self._say(f"* {sequence} FETCH (UID {mail.uid} FLAGS ({' '.join(sorted(mail.flags))}))\r\n")

    async def _search(self, tag: str, args: str) -> str:
        del tag
        self._update()
        if args.upper().startswith("CHARSET "):
            if self._profile.badcharset:
                return "NO [BADCHARSET (US-ASCII)] The specified charset is not supported."
            args = args.split(" ", 2)[2]
        found = search(self._view, args) if self._view else []
        self._say(f"* SEARCH {' '.join(str(mail.uid) for _, mail in found)}".rstrip() + "\r\n")
        return "OK SEARCH completed"

    async def _fetch(self, tag: str, args: str) -> str:
        del tag
        self._update()
        match = _FETCH.match(args)
        if match is None:
            return "BAD Error in IMAP command FETCH"
        ranges = numbers_in(match[1], self._view[-1].uid if self._view else 1)
        for sequence, mail in enumerate(list(self._view), start=1):
            if within(mail.uid, ranges) and mail.modseq > int(match[4] or 0):
                await self._tell(mail, sequence, match[2], modseq=match[3] is not None)
        if self._lies.stranger is not None and self._view:
            mail = self._view[0]
            stranger = HeldMail(self._lies.stranger, mail.raw, mail.modseq, mail.at)
            await self._tell(stranger, len(self._view) + 1, match[2], modseq=False)
        return "OK FETCH completed"

    async def _tell(self, mail: HeldMail, sequence: int, items: str, *, modseq: bool) -> None:
        quirks = self._profile.quirks
        pieces = fetch_answer(mail, sequence, items.removeprefix("(").removesuffix(")"), quirks, modseq=modseq)
        for _ in range(2 if quirks.twice else 1):
            for number, piece in enumerate(pieces):
                await self._broken_in_half(piece, "FETCH:literal" if number % 2 else "FETCH:line")
        if len(self._out) > _FLUSH_AT:
            await self._flush()

    async def _broken_in_half(self, piece: bytes, point: str) -> None:
        """A piece of an answer; what is due within it happens at its middle."""
        if any(fault.at == point for fault in self._server.faults):
            middle = len(piece) // 2
            self._say(piece[:middle])
            await self._pass(point)
            piece = piece[middle:]
        self._say(piece)

    # Waiting

    async def _noop(self, tag: str, args: str) -> str:
        del tag, args
        self._update()
        return "OK Success"

    async def _idle(self, tag: str, args: str) -> str:
        del tag, args
        self._say("+ idling\r\n")
        self._update()
        await self._pass("IDLE:waiting")
        await self._flush()
        line = asyncio.create_task(self._line())
        try:
            await self._push_until(line)
            await line
        finally:
            line.cancel()
        fault = await self._pass("DONE")
        return fault.text.decode() if fault else "OK IDLE terminated"

    async def _push_until(self, line: asyncio.Task[str]) -> None:
        """Tells changes as they come, says now and then that it is there, ends an IDLE that takes too long."""
        loop, profile = asyncio.get_running_loop(), self._profile
        end = None if profile.idle_limit is None else loop.time() + profile.idle_limit
        while not line.done():
            left = None if end is None else max(0.0, end - loop.time())
            news = asyncio.create_task(self._news.wait())
            waits = [wait for wait in (left, profile.keepalive_every) if wait is not None]
            await asyncio.wait({line, news}, timeout=min(waits, default=None), return_when=asyncio.FIRST_COMPLETED)
            news.cancel()
            if line.done():
                return
            if end is not None and loop.time() >= end:
                raise SessionOverError
            if self._news.is_set():
                self._update()
            elif profile.keepalive:
                self._say(f"{profile.keepalive}\r\n")
            await self._flush()
