"""All benches, one after the other, in a short form: ``python -m bench`` (``make bench``).

    python -m bench              every bench, shortened: about three minutes
    python -m bench --full       with the numbers that bench/README.md tells: about ten
    python -m bench NAME ...     only these
    python -m bench --list       what there is, and what each needs

Each runs in a process of its own, so that one's memory and modules do not weigh on the next.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from bench.machine import DOVECOT, conditions


@dataclass(frozen=True, slots=True)
class Bench:
    """One script, its arguments when there is little time, and whether it needs Dovecot."""

    name: str
    measures: str
    short: tuple[str, ...]
    needs_dovecot: bool = False


BENCHES = (
    Bench("demo_start", "make demo to the address of its page", ("--runs", "2")),
    Bench("notice_latency", "new mail on the server to its card in Slack", ("--mails", "20")),
    Bench("imap_wire", "reading mail, beside imapclient", ("--rounds", "1"), needs_dovecot=True),
    Bench("first_sync", "a mailbox's first sync, beside imapclient", ("--rounds", "2"), needs_dovecot=True),
    Bench("far_sync", "the same at 40 ms round trip, beside ImapFlow", ("--rounds", "1"), needs_dovecot=True),
    Bench("news", "EXISTS to fetched; nothing new in many folders", ("--mails", "5"), needs_dovecot=True),
    Bench(
        "idle_mailboxes",
        "many mailboxes in IDLE in one process",
        ("--mailboxes", "200", "--rest", "10"),
        needs_dovecot=True,
    ),
    Bench("matching", "a batch of mails among many people", ("--people", "10000", "200000", "--batches", "50")),
    Bench(
        "outreach_engine",
        "campaign mail with all its bookkeeping; a tick with nothing due",
        ("--mails", "2000", "--enrolled", "20000", "--rounds", "1", "--prospects", "1000", "100000"),
    ),
    Bench("store_ingest", "storing what was read", ("--rounds", "2")),
    Bench("campaign_moves", "a large campaign paused, started, stopped, and others' writes", ("--prospects", "20000")),
    Bench("outreach_status", "/outreach status of a large campaign", ("--prospects", "10000")),
    Bench("outreach_year", "a season of outreach played through", ("--people", "50")),
    Bench(
        "outreach_send",
        "composing and sending, beside nodemailer and smtp-source",
        ("--mails", "2000", "--rounds", "2", "--far-mails", "300"),
    ),
)


def _listed(bench: Bench) -> str:
    needs = f"; needs Dovecot ({DOVECOT})" if bench.needs_dovecot else ""
    return f"python -m bench.{bench.name:16} {bench.measures}{needs}"


def _run(bench: Bench, *, full: bool) -> bool:
    print(f"\n== {bench.name}: {bench.measures}", flush=True)
    if bench.needs_dovecot and not Path(DOVECOT).exists():
        print(f"skipped: {DOVECOT} is not there (Debian: apt-get install dovecot-imapd)")
        return True
    words = [sys.executable, "-m", f"bench.{bench.name}", *(() if full else bench.short)]
    return subprocess.run(words, check=False).returncode == 0


def main() -> int:
    """0, or 1 where a bench failed."""
    parser = argparse.ArgumentParser(
        prog="python -m bench", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("names", nargs="*", metavar="NAME", help="only these; all where none is named")
    parser.add_argument("--full", action="store_true", help="with the numbers that bench/README.md tells")
    parser.add_argument("--list", action="store_true", help="what there is, and what each needs")
    arguments = parser.parse_args()
    if arguments.list:
        print("\n".join(map(_listed, BENCHES)))
        return 0
    if unknown := set(arguments.names) - {bench.name for bench in BENCHES}:
        parser.error(f"no bench is called {', '.join(sorted(unknown))}")
    print(conditions())
    chosen = [bench for bench in BENCHES if not arguments.names or bench.name in arguments.names]
    finished = [_run(bench, full=arguments.full) for bench in chosen]
    return 0 if all(finished) else 1


if __name__ == "__main__":
    sys.exit(main())
