"""First sync of a mailbox on a real Dovecot, matched and stored in SQLite, beside peers on the same server.

    python -m bench.first_sync [--messages 10000] [--rounds 5] [--matched 0.2]

``--matched`` is the share of messages whose sender is on a profile: their text is read and stored too. The peers:
imapclient reads headers, structure and every message's text and stores nothing; mbsync (Debian: isync), where it is
installed, downloads every message whole into a Maildir. Rounds alternate; ratios within one run count. Processor time
is that of the peer's own process, Dovecot's not.
"""

from __future__ import annotations

import argparse
import asyncio
import multiprocessing
import os
import shutil
import statistics
import subprocess
import tempfile
import time
from collections.abc import Callable, Sequence
from multiprocessing.queues import SimpleQueue
from pathlib import Path

from bench.imap_wire import RITA, recruiting_mail, theirs
from bench.machine import conditions, need_dovecot
from bench.product_sync import Taken, product
from tests.integration.mail.dovecot import Dovecot

MBSYNC = shutil.which("mbsync")
WHAT = {
    "rethread": "read, matched, stored",
    "imapclient": "headers, structure and all texts read, nothing stored",
    "mbsync": "whole messages into a Maildir",
}


def imapclient_reads(dovecot: Dovecot) -> Taken:
    """In a process of its own, like every peer."""
    context = multiprocessing.get_context("fork")
    answers: SimpleQueue[Taken] = context.SimpleQueue()
    process = context.Process(target=_imapclient_reads, args=(dovecot, answers))
    process.start()
    process.join()
    return answers.get()


def _imapclient_reads(dovecot: Dovecot, answers: SimpleQueue[Taken]) -> None:
    began, cpu = time.perf_counter(), time.process_time()
    asyncio.run(theirs(dovecot, tls=True, texts=True)())
    answers.put(Taken(time.perf_counter() - began, time.process_time() - cpu))


def mbsync_pulls(dovecot: Dovecot, folder: Path) -> Taken:
    """The inbox into an empty Maildir, with mbsync's own way of making it durable."""
    folder.mkdir()
    settings = folder / "mbsyncrc"
    settings.write_text(
        f"""IMAPAccount there
Host localhost
Port {dovecot.tls_port}
User {RITA.username}
Pass {RITA.password}
SSLType IMAPS
CertificateFile {dovecot.ca_file}

IMAPStore far
Account there

MaildirStore near
Inbox {folder}/inbox
Path {folder}/

Channel first
Far :far:
Near :near:
Patterns INBOX
Create Near
Sync Pull
SyncState {folder}/state-
"""
    )
    before, began = os.times(), time.perf_counter()
    subprocess.run([MBSYNC or "mbsync", "-q", "-c", str(settings), "first"], check=True)
    wall, after = time.perf_counter() - began, os.times()
    cpu = after.children_user + after.children_system - before.children_user - before.children_system
    return Taken(wall, cpu)


def measure(messages: int, rounds: int, matched: float) -> dict[str, list[Taken]]:
    """What each peer took in each round, by name; ours is ``rethread``."""
    with tempfile.TemporaryDirectory(prefix="rethread-bench-") as name, Dovecot(Path(name)) as dovecot:
        dovecot.add_user(RITA.username, RITA.password)
        dovecot.deliver(RITA.username, map(recruiting_mail, range(1, messages + 1)))
        people = int(messages * matched)
        peers: dict[str, Callable[[Path], Taken]] = {
            "rethread": lambda folder: product(
                folder, port=dovecot.tls_port, ca_file=dovecot.ca_file, messages=messages, people=people
            ),
            "imapclient": lambda _: imapclient_reads(dovecot),
        }
        if MBSYNC is not None:
            peers["mbsync"] = lambda folder: mbsync_pulls(dovecot, folder)
        imapclient_reads(dovecot)  # Dovecot builds its index and cache
        taken: dict[str, list[Taken]] = {peer: [] for peer in peers}
        for number in range(rounds):
            for peer, run in peers.items():
                folder = Path(name) / f"{peer}{number}"
                taken[peer].append(run(folder))
                shutil.rmtree(folder, ignore_errors=True)
    return taken


def _line(who: str, rounds: Sequence[Taken], messages: int) -> str:
    wall = statistics.median(one.wall for one in rounds)
    cpu = statistics.median(one.cpu for one in rounds)
    return f"{who:11} {messages / wall:7,.0f} messages/s, {cpu / messages * 1e6:4.0f} µs of processor each: {WHAT[who]}"


def _ratios(taken: dict[str, list[Taken]]) -> str:
    """Medians of the rounds, on the wall and in processor time; above 1 we are the faster."""
    parts = []
    for peer in [one for one in taken if one != "rethread"]:
        pairs = list(zip(taken["rethread"], taken[peer], strict=True))
        wall = statistics.median(theirs.wall / mine.wall for mine, theirs in pairs)
        cpu = statistics.median(theirs.cpu / mine.cpu for mine, theirs in pairs)
        parts.append(f"{wall:.2f} times {peer} ({cpu:.2f} in processor time)")
    return ", ".join(parts)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--messages", type=int, default=10_000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--matched", type=float, default=0.2)
    arguments = parser.parse_args()
    need_dovecot()
    taken = measure(arguments.messages, arguments.rounds, arguments.matched)
    memory = max(one.memory for one in taken["rethread"])
    print(
        f"first sync of {arguments.messages:,} messages over TLS, {arguments.matched:.0%} match, "
        f"{arguments.rounds} rounds ({conditions()})"
    )
    for peer, rounds in taken.items():
        print(_line(peer, rounds, arguments.messages))
    print(f"{_ratios(taken)}; peak memory of the product's process {memory} MiB")


if __name__ == "__main__":
    main()
