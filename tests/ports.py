"""Ports on loopback that stay ours from the moment they are chosen."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def held_port() -> Iterator[int]:
    """A free port for a server that is told where to listen, also again and again: nobody else gets it meanwhile.

    A socket of ours is bound to it and never listens. The system then neither gives the port to a connection nor to
    whoever asks for any, and lets a server bind it that sets SO_REUSEADDR, as ours, PostgreSQL and Dovecot do.
    """
    with socket.socket() as holder:
        holder.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        holder.bind(("127.0.0.1", 0))
        yield int(holder.getsockname()[1])
