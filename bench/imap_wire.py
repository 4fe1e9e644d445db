"""How fast mail comes over IMAP: our client against imapclient, on the same Dovecot in the same run.

    python -m bench.imap_wire [--messages 10000] [--rounds 3]

Ratios within one run count; absolute figures depend on the machine. CPU is this process's alone, without Dovecot.
"""

from __future__ import annotations

import argparse
import asyncio
import base64
import random
import resource
import ssl
import statistics
import tempfile
import time
from collections.abc import Callable, Coroutine, Iterator
from pathlib import Path
from typing import Any

import imapclient  # type: ignore[import-untyped]

from bench.machine import conditions, need_dovecot
from core.clock import SystemClock
from core.mail.dialler import Dialler
from core.mail.dns import Resolver
from core.mail.imap import ImapConnector
from core.mail.imap_fetch import HEADER_FIELDS
from core.mail.tls import make_tls_context
from core.ports.mail import Credentials, Endpoint, Tls
from tests.integration.mail.dovecot import Dovecot

RITA = Credentials("rita@agency.test", "pw")
Run = Callable[[], Coroutine[Any, Any, int]]


def recruiting_mail(number: int) -> bytes:
    """A synthetic answer of a candidate, about 14 KB: plain and HTML text, every third with a CV."""
    rng = random.Random(number)
    words = " ".join(rng.choice(("role", "salary", "notice", "offer", "team", "Zürich", "remote")) for _ in range(300))
    plain = base64.encodebytes(words.encode()).replace(b"\n", b"\r\n")
    html = base64.encodebytes(f"<html><body><p>{words}</p><p>{words}</p></body></html>".encode()).replace(
        b"\n", b"\r\n"
    )
    alternative = _multipart(
        "alternative",
        b"Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: base64\r\n\r\n" + plain,
        b"Content-Type: text/html; charset=utf-8\r\nContent-Transfer-Encoding: base64\r\n\r\n" + html,
    )
    header = (
        f"Return-Path: <person{number}@candidates.example>\r\nDelivered-To: rita@agency.test\r\n"
        + "".join(f"Received: from hop{hop}.example by hop{hop + 1}.example; Sat, 21 Nov 2026\r\n" for hop in range(4))
        + f"From: =?utf-8?q?J=C3=BCrgen?= Person {number} <person{number}@candidates.example>\r\n"
        f"To: Rita <rita@agency.test>\r\nSubject: Re: Senior engineer {number}\r\n"
        f"Date: Sat, 21 Nov 2026 10:00:00 +0000\r\nMessage-ID: <m{number}@candidates.example>\r\n"
        f"In-Reply-To: <o{number}@agency.test>\r\nReferences: <o{number - 1}@agency.test> <o{number}@agency.test>\r\n"
        f"DKIM-Signature: v=1; a=rsa-sha256; b={'A' * 300}\r\nMIME-Version: 1.0\r\n"
    ).encode()
    if number % 3:
        return header + alternative
    attachment = base64.encodebytes(rng.randbytes(6_000)).replace(b"\n", b"\r\n")
    curriculum = (
        b'Content-Type: application/pdf; name="cv.pdf"\r\nContent-Disposition: attachment; filename="cv.pdf"\r\n'
        b"Content-Transfer-Encoding: base64\r\n\r\n" + attachment
    )
    return header + _multipart("mixed", alternative, curriculum)


def _multipart(kind: str, *parts: bytes) -> bytes:
    boundary = f"--{kind}-of-rethread".encode()
    head = f'Content-Type: multipart/{kind}; boundary="{kind}-of-rethread"\r\n\r\n'.encode()
    return head + b"".join(boundary + b"\r\n" + part + b"\r\n" for part in parts) + boundary + b"--\r\n"


def ours(dovecot: Dovecot, *, tls: bool, texts: bool) -> Run:
    connector = ImapConnector(Dialler(Resolver(SystemClock()), allow_private=True), make_tls_context(dovecot.ca_file))
    endpoint = Endpoint("localhost", dovecot.tls_port if tls else dovecot.port, Tls.SSL if tls else Tls.NONE)

    async def run() -> int:
        client = await connector.connect(endpoint, RITA)
        await client.select("INBOX")
        count = 0
        async for batch in client.fetch(1):
            count += len(await client.fetch_texts(batch) if texts else batch)
        await client.close()
        return count

    return run


def theirs(dovecot: Dovecot, *, tls: bool, texts: bool) -> Run:
    """imapclient, used well: UID ranges of 200, header fields and structure parsed, the first text part as it comes."""

    async def run() -> int:
        context = ssl.create_default_context(cafile=str(dovecot.ca_file)) if tls else None
        port = dovecot.tls_port if tls else dovecot.port
        client = imapclient.IMAPClient("localhost", port, ssl=tls, ssl_context=context)
        client.login(RITA.username, RITA.password)
        client.select_folder("INBOX", readonly=True)
        uids = client.search("ALL")
        items = ["FLAGS", "INTERNALDATE", "RFC822.SIZE", "BODYSTRUCTURE", f"BODY.PEEK[HEADER.FIELDS ({HEADER_FIELDS})]"]
        count = 0
        for start in range(0, len(uids), 200):
            chunk = uids[start : start + 200]
            answers = client.fetch(chunk, items)
            if texts:
                by_section: dict[str, list[int]] = {}
                for uid in chunk:
                    nested = isinstance(answers[uid][b"BODYSTRUCTURE"][0][0][0], (list, tuple))
                    by_section.setdefault("1.1" if nested else "1", []).append(uid)
                for section, members in by_section.items():
                    client.fetch(members, [f"BODY.PEEK[{section}]<0.262144>"])
            count += len(answers)
        client.logout()
        return count

    return run


def measure(run: Run) -> tuple[int, float, float]:
    """Messages, seconds on the wall, seconds of our CPU."""
    wall, cpu = time.perf_counter(), time.process_time()
    count = asyncio.run(run())
    return count, time.perf_counter() - wall, time.process_time() - cpu


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--messages", type=int, default=10_000)
    parser.add_argument("--rounds", type=int, default=3)
    arguments = parser.parse_args()
    need_dovecot()
    with tempfile.TemporaryDirectory(prefix="rethread-bench-") as folder, Dovecot(Path(folder)) as dovecot:
        dovecot.add_user(RITA.username, RITA.password)
        dovecot.deliver(RITA.username, map(recruiting_mail, range(1, arguments.messages + 1)))
        cases = list(_cases(dovecot))
        measure(cases[0][1])  # Dovecot builds its index and cache
        measure(cases[2][1])
        results: dict[str, list[tuple[int, float, float]]] = {name: [] for name, _ in cases}
        for _ in range(arguments.rounds):
            for name, run in cases:
                results[name].append(measure(run))
    print(f"{arguments.messages:,} messages, {arguments.rounds} rounds ({conditions()})")
    print(f"{'case':36} {'messages/s':>11} {'wall µs':>8} {'CPU µs':>8}")
    for name, rounds in results.items():
        count = rounds[0][0]
        wall, cpu = (statistics.median(taken) for taken in list(zip(*rounds, strict=True))[1:])
        print(f"{name:36} {count / wall:11,.0f} {wall / count * 1e6:8.1f} {cpu / count * 1e6:8.1f}")
    print(f"peak memory {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024} MiB")


def _cases(dovecot: Dovecot) -> Iterator[tuple[str, Run]]:
    for texts in (False, True):
        for tls in (False, True):
            what = f"headers{' and texts' if texts else ''}, {'TLS' if tls else 'plain'}"
            yield f"rethread, {what}", ours(dovecot, tls=tls, texts=texts)
            yield f"imapclient, {what}", theirs(dovecot, tls=tls, texts=texts)


if __name__ == "__main__":
    main()
