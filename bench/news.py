"""How soon what is new is known: from the server's EXISTS to the fetched mail, and nothing new in 1,000 folders.

    python -m bench.news [--mails 30] [--folders 1000] [--rounds 5]

Against a real Dovecot over TLS. The first figure is ours alone: from the moment the client has read the server's
untagged line until the mail's header and text are there. The second stands beside imapclient, which asks folder by
folder as its users do.
"""

from __future__ import annotations

import argparse
import asyncio
import ssl
import statistics
import tempfile
import time
from pathlib import Path

import imapclient  # type: ignore[import-untyped]

from bench.imap_wire import RITA, recruiting_mail
from bench.machine import conditions, need_dovecot, percentile
from core.assembly import make_mail
from core.clock import SystemClock
from core.mail.imap import ImapClient, ImapConnector
from core.ports.mail import Endpoint, Tls
from core.settings import Settings
from tests.integration.mail.dovecot import Dovecot


async def _connect(dovecot: Dovecot) -> ImapClient:
    settings = Settings(allow_private_mail_hosts=True, ca_file=str(dovecot.ca_file))
    connector = make_mail(settings, SystemClock()).connector
    assert isinstance(connector, ImapConnector)
    return await connector.connect(Endpoint("localhost", dovecot.tls_port, Tls.SSL), RITA)


async def exists_to_fetched(dovecot: Dovecot, mails: int) -> list[float]:
    """Seconds from EXISTS to header and text, for each mail; they arrive one by one, by APPEND of another client."""
    client, other = await _connect(dovecot), await _connect(dovecot)
    uid = (await client.select("INBOX")).uidnext
    taken = []
    for number in range(1, mails + 1):
        idle = asyncio.create_task(client.idle(renew_after=60))
        told = asyncio.create_task(_told(client))
        await asyncio.sleep(0.05)  # it waits in IDLE by then
        await other.append("INBOX", recruiting_mail(number))
        await idle
        batches = [batch async for batch in client.fetch(uid)]
        texts = await client.fetch_texts(batches[0])
        taken.append(time.perf_counter() - await told)
        assert len(texts) == 1, texts
        uid = batches[0][-1].uid + 1
    await asyncio.gather(client.close(), other.close())
    return taken


async def _told(client: ImapClient) -> float:
    await client._protocol.changed.wait()
    return time.perf_counter()


async def glances(dovecot: Dovecot, rounds: int) -> tuple[int, list[float]]:
    """How many folders there are; seconds for their numbers, each round."""
    client = await _connect(dovecot)
    names = [folder.name for folder in await client.list_folders()]
    taken = []
    for _ in range(rounds):
        began = time.perf_counter()
        assert len(await client.glance(names)) == len(names)
        taken.append(time.perf_counter() - began)
    await client.close()
    return len(names), taken


def imapclient_asks(dovecot: Dovecot, rounds: int) -> list[float]:
    """Seconds for STATUS of every folder, one after the other."""
    context = ssl.create_default_context(cafile=str(dovecot.ca_file))
    client = imapclient.IMAPClient("localhost", dovecot.tls_port, ssl_context=context)
    client.login(RITA.username, RITA.password)
    names = [name for _, _, name in client.list_folders()]
    taken = []
    for _ in range(rounds):
        began = time.perf_counter()
        for name in names:
            client.folder_status(name, ["MESSAGES", "UIDNEXT", "UIDVALIDITY", "HIGHESTMODSEQ"])
        taken.append(time.perf_counter() - began)
    client.logout()
    return taken


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--mails", type=int, default=30)
    parser.add_argument("--folders", type=int, default=1_000)
    parser.add_argument("--rounds", type=int, default=5)
    arguments = parser.parse_args()
    need_dovecot()
    with tempfile.TemporaryDirectory(prefix="rethread-bench-") as name, Dovecot(Path(name)) as dovecot:
        dovecot.add_user(RITA.username, RITA.password)
        dovecot.deliver(RITA.username, [recruiting_mail(1)])
        fetched = asyncio.run(exists_to_fetched(dovecot, arguments.mails))
        for number in range(arguments.folders):
            dovecot.deliver(RITA.username, [b"Subject: old\r\n\r\n\r\n"], folder=f"Client {number}")
        folders, ours = asyncio.run(glances(dovecot, arguments.rounds))
        others = imapclient_asks(dovecot, arguments.rounds)
    print(f"news over TLS ({conditions()})")
    p50, p99 = (percentile(fetched, share) * 1_000 for share in (0.5, 0.99))
    print(f"EXISTS to fetched with its text, {arguments.mails} mails: p50 {p50:.1f} ms, p99 {p99:.1f} ms")
    mine, theirs = statistics.median(ours), statistics.median(others)
    print(
        f"nothing new in {folders:,} folders: {mine * 1_000:.0f} ms (median of {arguments.rounds}, "
        f"first {ours[0] * 1_000:.0f} ms), imapclient {theirs * 1_000:.0f} ms, {theirs / mine:.1f} times faster"
    )


if __name__ == "__main__":
    main()
