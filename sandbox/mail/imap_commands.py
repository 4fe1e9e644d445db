"""Commands and replies that pymap lacks: SASL-IR, RETURN (SPECIAL-USE), a refusal in a provider's own words."""

import re

from pymap.exceptions import ResponseError
from pymap.parsing import Params
from pymap.parsing.command.auth import ListCommand
from pymap.parsing.command.nonauth import AuthenticateCommand
from pymap.parsing.response import CommandResponse, ResponseBad, ResponseNo


class RefusedError(ResponseError):
    """A command answered with ``words``, a tagged reply without its tag: "NO [LIMIT] Too many" or "BAD ..."."""

    def __init__(self, words: str) -> None:
        super().__init__(words)
        condition, _, text = words.partition(" ")
        self._reply = ResponseBad if condition == "BAD" else ResponseNo
        self._text = text.encode()

    def get_response(self, tag: bytes) -> CommandResponse:
        return self._reply(tag, self._text)


class SpecialUseList(ListCommand):
    """LIST that lets ``RETURN (SPECIAL-USE)`` pass (RFC 6154); the flags are given in any case."""

    _return_options = re.compile(rb"(?i) RETURN \([A-Z -]*\)(?=\r?\n$)")

    @classmethod
    def parse(cls, buf: memoryview, params: Params) -> tuple[ListCommand, memoryview]:
        return super().parse(memoryview(cls._return_options.sub(b"", bytes(buf))), params)


class SaslInitialResponse(AuthenticateCommand):
    """AUTHENTICATE with the client's first response on the same line (RFC 4959)."""

    initial: bytes | None = None
    _initial = re.compile(rb"^( \S+) (\S+)(?=\r?\n$)")

    @classmethod
    def parse(cls, buf: memoryview, params: Params) -> tuple[AuthenticateCommand, memoryview]:
        line = bytes(buf)
        given = cls._initial.match(line)
        command, after = super().parse(memoryview(cls._initial.sub(rb"\1", line)), params)
        if given and isinstance(command, cls):
            # A lone "=" is an empty response.
            command.initial = b"" if given[2] == b"=" else given[2]
        return command, after
