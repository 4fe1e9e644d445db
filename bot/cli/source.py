"""What the person at the terminal names on the command line or feeds in."""

from __future__ import annotations

from pathlib import Path
from typing import BinaryIO, Final

from core.errors import InputError

_MAX_PASSWORD: Final = 4_096


class Source:
    """Files and the standard input, read where the person is (the server may run elsewhere, as somebody else)."""

    def __init__(self, stdin: BinaryIO) -> None:
        self._stdin = stdin

    def file(self, path: str) -> bytes:
        """Raises InputError where it cannot be read."""
        try:
            return Path(path).read_bytes()
        except OSError as error:
            raise InputError(f"cannot be read: {error.strerror}", where=path) from None

    def text(self, path: str) -> str:
        """A text file in UTF-8. Raises InputError."""
        try:
            return self.file(path).decode("utf-8-sig")
        except UnicodeDecodeError:
            raise InputError("is not UTF-8 text", where=path, fix="Save the file as UTF-8.") from None

    def password(self) -> str:
        """The first line of the standard input, without its end. Raises InputError where there is none."""
        line = self._stdin.readline(_MAX_PASSWORD).rstrip(b"\r\n")
        if not line:
            raise InputError("holds no password", where="standard input", fix="Send it as one line.")
        return line.decode("utf-8", "replace")

    def lines(self) -> list[str]:
        """All lines of the standard input; bytes that are no UTF-8 are replaced."""
        return self._stdin.read().decode("utf-8", "replace").split("\n")
