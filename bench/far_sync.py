"""First sync over a link of 40 ms round trip, beside ImapFlow (Node), which stores nothing.

    python -m bench.far_sync [--messages 10000] [--rounds 3] [--delay 0.02] [--matched 0.2]

A relay in a process of its own holds every byte back for ``--delay`` seconds each way between the client and a real
Dovecot. ImapFlow is fetched by npm into a temporary folder; where node or npm are missing, ours runs alone. It runs
twice a round: reading the texts of as many messages as match with us, and reading all texts, because by itself it
knows no matches.
"""

from __future__ import annotations

import argparse
import json
import shutil
import statistics
import subprocess
import tempfile
from pathlib import Path

from bench.first_sync import imapclient_reads
from bench.imap_wire import RITA, recruiting_mail
from bench.machine import conditions, need_dovecot
from bench.product_sync import Taken, product
from bench.slow_link import slow_link
from tests.integration.mail.dovecot import Dovecot

IMAPFLOW = "imapflow@2.1.2"
SCRIPT = Path(__file__).with_name("imapflow_reads.mjs")
Rounds = dict[str, list[Taken]]


def install_imapflow(folder: Path) -> bool:
    """Whether ImapFlow can be run from ``folder``."""
    npm = shutil.which("npm")
    if npm is None or shutil.which("node") is None:
        return False
    folder.mkdir()
    command = [npm, "install", "--silent", "--no-audit", "--no-fund", IMAPFLOW]
    return subprocess.run(command, cwd=folder, capture_output=True, check=False).returncode == 0


def imapflow_reads(modules: Path, port: int, ca_file: Path, *, texts: int, messages: int) -> Taken:
    """Raises RuntimeError where it did not read everything."""
    words = ["node", str(SCRIPT), str(port), str(ca_file), RITA.username, RITA.password, str(texts)]
    ended = subprocess.run(words, cwd=modules, check=True, stdout=subprocess.PIPE, text=True)
    told = json.loads(ended.stdout)
    if told["messages"] != messages:
        raise RuntimeError(f"ImapFlow read {told['messages']} of {messages} messages")
    return Taken(told["wall"], told["cpu"])


def measure(messages: int, rounds: int, matched: float, delay: float) -> Rounds:
    """What each took in each round, by name."""
    taken: Rounds = {}
    people = int(messages * matched)
    with tempfile.TemporaryDirectory(prefix="rethread-bench-") as name, Dovecot(Path(name)) as dovecot:
        dovecot.add_user(RITA.username, RITA.password)
        dovecot.deliver(RITA.username, map(recruiting_mail, range(1, messages + 1)))
        modules = Path(name) / "node"
        with_imapflow = install_imapflow(modules)
        imapclient_reads(dovecot)  # Dovecot builds its index and cache
        with slow_link(dovecot.tls_port, delay) as port:
            for number in range(rounds):
                folder = Path(name) / f"round{number}"
                ours = product(folder, port=port, ca_file=dovecot.ca_file, messages=messages, people=people)
                taken.setdefault("rethread", []).append(ours)
                for what, texts in (("imapflow, the same texts", people), ("imapflow, all texts", messages)):
                    if with_imapflow:
                        one = imapflow_reads(modules, port, dovecot.ca_file, texts=texts, messages=messages)
                        taken.setdefault(what, []).append(one)
    return taken


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--messages", type=int, default=10_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--matched", type=float, default=0.2)
    parser.add_argument("--delay", type=float, default=0.02, help="seconds, each way")
    arguments = parser.parse_args()
    need_dovecot()
    taken = measure(arguments.messages, arguments.rounds, arguments.matched, arguments.delay)
    print(
        f"first sync of {arguments.messages:,} messages over TLS at {arguments.delay * 2_000:.0f} ms round trip, "
        f"{arguments.matched:.0%} match, {arguments.rounds} rounds ({conditions()})"
    )
    for what, rounds in taken.items():
        wall = statistics.median(one.wall for one in rounds)
        ratios = (theirs.wall / mine.wall for mine, theirs in zip(taken["rethread"], rounds, strict=True))
        told = f"{arguments.messages / wall:7,.0f} messages/s"
        print(f"{what:26} {told}, its time is {statistics.median(ratios):.2f} of ours")


if __name__ == "__main__":
    main()
