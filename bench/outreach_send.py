"""Composing and sending distinct mails to a sink, beside nodemailer (Node) and Postfix's smtp-source.

    python -m bench.outreach_send [--mails 5000] [--rounds 5] [--connections 10] [--delay 0.02] [--far-mails 1000]

Ours fills a template for each person, writes the mail and hands it over; nothing is kept of it. nodemailer fills the
same template in JavaScript. smtp-source writes one canned text of the same size and says how fast the sink is. All
three talk to Postfix's smtp-sink, each in a process of its own, one after the other in each round; then again through
a relay that holds every byte back for ``--delay`` seconds each way (0: not at all).

smtp-sink and smtp-source are Debian's (apt-get install postfix), nodemailer is fetched by npm into a temporary folder;
where they are missing the bench says so, and goes on with what there is.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import resource
import shutil
import socket
import ssl
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from bench.machine import conditions
from bench.product_sync import Taken
from bench.slow_link import slow_link
from core.clock import SystemClock
from core.collector import collect_seldom
from core.domain.compose import Letter, compose
from core.domain.template import html_from_text, render
from core.mail.dialler import Dialler
from core.mail.dns import Resolver
from core.mail.smtp import SmtpTransport
from core.ports.mail import Credentials, Endpoint, Tls

NODEMAILER = "nodemailer@10.6.0"
SCRIPT = Path(__file__).with_name("nodemailer_sends.mjs")
RITA = Credentials("rita@agency.test", "pw")
SUBJECT = "{{role}} at Northwind: {{first_name}}, shall we talk?"
TEXT = """Hi {{first_name}},

I came across your work at {{company}} and thought of you at once. Northwind is looking for a {{role}} in {{city}}, in a
small team that decides for itself how it works, and your years with {{skill}} are just what they miss.

The salary is between {{salary}} a year, remote work is possible on most days, and they answer within a week.

Shall we talk for a quarter of an hour this week? https://jobs.example/{{ref}}

Best regards,
Rita Recruiter
Agency · Zürich"""
Rounds = dict[str, list[Taken]]


def people(count: int) -> list[dict[str, str]]:
    """Invented people, no two alike."""
    return [
        {
            "id": f"d{number:08}", "name": f"Maya Lind {number}", "email": f"maya{number}@candidates.example",
            "first_name": f"Maya{number}", "company": f"Lind & Sons {number}", "role": "Senior Engineer",
            "city": ("Kraków", "Basel", "Leeds")[number % 3], "skill": ("Rust", "Python", "SQL")[number % 3],
            "salary": f"{90 + number % 20},000 and {110 + number % 20},000", "ref": f"{number:06}",
        }
        for number in range(count)
    ]  # fmt: skip


def written(person: dict[str, str], now: datetime) -> bytes:
    """One mail, as a stage of a campaign writes it."""
    text = render(TEXT, person).text
    letter = Letter(
        sender=RITA.username,
        sender_name="Rita Recruiter",
        recipient=person["email"],
        recipient_name=person["name"],
        subject=render(SUBJECT, person).text,
        text=text,
        html=html_from_text(text),
        message_id=f"{person['id']}@agency.test",
        date=now,
        extra=(("X-Rethread-Delivery", person["id"]),),
    )
    return compose(letter)


async def our_sending(port: int, mails: int, connections: int) -> Taken:
    """As many tasks as connections, each composing and sending one mail after the other."""
    transport = SmtpTransport(
        Dialler(Resolver(SystemClock()), allow_private=True),
        ssl.create_default_context(),
        connections_per_mailbox=connections,
    )
    endpoint = Endpoint("127.0.0.1", port, Tls.NONE)
    waiting = iter(people(mails))
    now = datetime.now(UTC)

    async def work() -> None:
        for person in waiting:
            raw = written(person, now)
            await transport.send(endpoint, RITA, sender=RITA.username, recipients=[person["email"]], raw=raw)

    began, cpu = time.perf_counter(), time.process_time()
    await asyncio.gather(*(work() for _ in range(connections)))
    taken = Taken(time.perf_counter() - began, time.process_time() - cpu)
    await transport.close()
    return taken


def ours(port: int, mails: int, connections: int) -> Taken:
    """In a process of its own."""
    words = [sys.executable, "-m", "bench.outreach_send", "--send-to", str(port)]
    words += ["--mails", str(mails), "--connections", str(connections)]
    ended = subprocess.run(words, check=True, stdout=subprocess.PIPE, text=True)
    return Taken(**json.loads(ended.stdout))


def install_nodemailer(folder: Path) -> bool:
    """Whether nodemailer can be run from ``folder``."""
    npm = shutil.which("npm")
    if npm is None or shutil.which("node") is None:
        return False
    folder.mkdir()
    command = [npm, "install", "--silent", "--no-audit", "--no-fund", NODEMAILER]
    return subprocess.run(command, cwd=folder, capture_output=True, check=False).returncode == 0


def nodemailer(modules: Path, port: int, mails: int, connections: int) -> Taken:
    """Raises RuntimeError where the sink did not take everything."""
    html = html_from_text(TEXT)
    template = json.dumps({"people": people(mails), "subject": SUBJECT, "text": TEXT, "html": html})
    words = ["node", str(SCRIPT), str(port), str(connections), RITA.username, RITA.password]
    ended = subprocess.run(words, cwd=modules, check=True, stdout=subprocess.PIPE, text=True, input=template)
    told = json.loads(ended.stdout)
    if told["messages"] != mails:
        raise RuntimeError(f"nodemailer sent {told['messages']} of {mails} mails")
    return Taken(told["wall"], told["cpu"])


def smtp_source(program: str, port: int, mails: int, connections: int) -> Taken:
    """Canned mails of the size of ours over connections that stay open (-d)."""
    size = len(written(people(1)[0], datetime.now(UTC)))
    words = [program, "-d", "-m", str(mails), "-s", str(connections), "-l", str(size), f"127.0.0.1:{port}"]
    before, began = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    subprocess.run(words, check=True)
    wall, after = time.perf_counter() - began, resource.getrusage(resource.RUSAGE_CHILDREN)
    return Taken(wall, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)


def _tool(name: str) -> str | None:
    """Postfix's tools stand where only root's PATH leads."""
    return shutil.which(name) or shutil.which(name, path="/usr/sbin")


@contextmanager
def sink(program: str) -> Iterator[int]:
    """smtp-sink on a free port of loopback; gives the port."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port: int = free.getsockname()[1]
    as_user = ["-u", "nobody"] if os.geteuid() == 0 else []
    with subprocess.Popen([program, *as_user, f"127.0.0.1:{port}", "1000"]) as process:
        try:
            _await_sink(port)
            yield port
        finally:
            process.terminate()


def _await_sink(port: int) -> None:
    deadline = time.monotonic() + 10
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.05)
        else:
            return


def measure(port: int, mails: int, rounds: int, connections: int, modules: Path | None) -> Rounds:
    """What each took in each round, by name."""
    source = _tool("smtp-source")
    taken: Rounds = {}
    for _ in range(rounds):
        taken.setdefault("rethread", []).append(ours(port, mails, connections))
        if modules is not None:
            taken.setdefault("nodemailer", []).append(nodemailer(modules, port, mails, connections))
        if source is not None:
            taken.setdefault("smtp-source", []).append(smtp_source(source, port, mails, connections))
    return taken


def report(what: str, mails: int, taken: Rounds) -> None:
    """Medians, and of the ratios within each round."""
    rounds = len(taken["rethread"])
    print(f"{mails:,} distinct mails, {what}, {rounds} rounds ({conditions()})")
    for name, times in taken.items():
        wall, cpu = (statistics.median(part) for part in ([one.wall for one in times], [one.cpu for one in times]))
        ratios = [theirs.wall / mine.wall for mine, theirs in zip(taken["rethread"], times, strict=True)]
        print(
            f"{name:12} {mails / wall:8,.0f} mails/s, {cpu / mails * 1e6:5,.0f} us of processor each, "
            f"its time is {statistics.median(ratios):.2f} of ours"
        )


def compare(arguments: argparse.Namespace, sink_program: str) -> None:
    with tempfile.TemporaryDirectory(prefix="rethread-bench-") as name, sink(sink_program) as near:
        modules: Path | None = Path(name) / "node"
        if not install_nodemailer(Path(name) / "node"):
            print(f"{NODEMAILER} is not there (npm and its registry are needed): ours without it")
            modules = None
        connections = arguments.connections
        report(
            f"{connections} connections to smtp-sink",
            arguments.mails,
            measure(near, arguments.mails, arguments.rounds, connections, modules),
        )
        if not arguments.delay:
            return
        with slow_link(near, arguments.delay) as far:
            report(
                f"{connections} connections at {arguments.delay * 2_000:.0f} ms round trip",
                arguments.far_mails,
                measure(far, arguments.far_mails, max(1, arguments.rounds // 2), connections, modules),
            )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--mails", type=int, default=5_000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--connections", type=int, default=10)
    parser.add_argument("--delay", type=float, default=0.02, help="seconds, each way; 0 leaves it out")
    parser.add_argument("--far-mails", type=int, default=1_000)
    parser.add_argument("--send-to", type=int, metavar="PORT", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.send_to:
        collect_seldom()
        taken = asyncio.run(our_sending(arguments.send_to, arguments.mails, arguments.connections))
        print(json.dumps({"wall": taken.wall, "cpu": taken.cpu}))
        return
    program = _tool("smtp-sink")
    if program is None:
        print("skipped: this bench needs Postfix's smtp-sink (Debian: apt-get install postfix)")
        return
    compare(arguments, program)


if __name__ == "__main__":
    main()
