"""A TCP relay that holds every byte back: loopback behaves like a link of some distance.

    python -m bench.slow_link --port 993 --delay 0.02

Prints the port it listens on, then relays until it is ended. Each way takes ``--delay`` seconds, with as many bytes
under way as come in that time, and no limit of its own on the rate.
"""

from __future__ import annotations

import argparse
import asyncio
import subprocess
import sys
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager


class OneWay:
    """Bytes from a reader to a writer, each ``delay`` seconds later."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, delay: float) -> None:
        self._reader, self._writer, self._delay = reader, writer, delay
        self._held: deque[bytes] = deque()

    async def relay(self) -> None:
        loop = asyncio.get_running_loop()
        while data := await self._reader.read(262_144):
            self._held.append(data)
            loop.call_later(self._delay, self._release)
        loop.call_later(self._delay, self._writer.close)

    def _release(self) -> None:
        data = self._held.popleft()
        if not self._writer.is_closing():
            self._writer.write(data)


async def serve(port: int, delay: float) -> None:
    async def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there, back = await asyncio.open_connection("127.0.0.1", port)
        await asyncio.gather(
            OneWay(reader, back, delay).relay(), OneWay(there, writer, delay).relay(), return_exceptions=True
        )

    server = await asyncio.start_server(accept, "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    async with server:
        await server.serve_forever()


@contextmanager
def slow_link(port: int, delay: float) -> Iterator[int]:
    """The relay in a process of its own; gives the port to connect to instead of ``port``."""
    words = [sys.executable, "-m", "bench.slow_link", "--port", str(port), "--delay", str(delay)]
    with subprocess.Popen(words, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            yield int(process.stdout.readline())
        finally:
            process.terminate()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--delay", type=float, default=0.02, help="seconds, each way")
    arguments = parser.parse_args()
    asyncio.run(serve(arguments.port, arguments.delay))


if __name__ == "__main__":
    main()
