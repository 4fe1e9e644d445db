"""A real Dovecot on free loopback ports with its own configuration, as root or not. Start it once a module.


with Dovecot(tmp_path) as dovecot:
    dovecot.add_user("rita@agency.test", "pw")
    dovecot.deliver("rita@agency.test", [raw, raw])
    ... dovecot.host, dovecot.port (plain), dovecot.tls_port, dovecot.ca_file
"""

from __future__ import annotations

import getpass
import os
import pwd
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from types import TracebackType

import pytest
import trustme

BINARY = "/usr/sbin/dovecot"


def require_dovecot() -> None:
    """Skips where Dovecot is not installed; in CI its absence is a failure."""
    if os.path.exists(BINARY):
        return
    reason = "Debian's dovecot-imapd is not installed"
    if os.environ.get("CI"):
        pytest.fail(reason)
    pytest.skip(reason)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Dovecot:
    """A server in ``folder``; a context manager."""

    host = "127.0.0.1"

    def __init__(self, folder: Path) -> None:
        self._folder = folder / "dovecot"
        self._delivered = 0
        self._process: subprocess.Popen[bytes] | None = None
        # As root the mail belongs to nobody, else to the one who runs the test.
        self._user = pwd.getpwnam("nobody" if os.geteuid() == 0 else getpass.getuser())
        self.port = free_port()
        self.tls_port = free_port()
        self.ca_file = self._folder / "ca.pem"

    def __enter__(self) -> Dovecot:
        self._folder.mkdir(parents=True)
        for parent in [self._folder, *self._folder.parents][:4]:
            if os.geteuid() == 0 and str(parent).startswith(("/tmp/", str(self._folder))):
                parent.chmod(parent.stat().st_mode | 0o755)
        self._write_certificate()
        (self._folder / "users").touch()
        self._home("").mkdir()
        config = self._folder / "dovecot.conf"
        config.write_text(self._configuration())
        self._process = subprocess.Popen(
            [BINARY, "-F", "-c", str(config)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        self._wait_until_it_listens()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._process is not None
        self._process.send_signal(signal.SIGTERM)
        try:
            self._process.wait(10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        shutil.rmtree(self._folder, ignore_errors=True)

    def add_user(self, address: str, password: str) -> None:
        """Adds a mailbox, or changes its password."""
        users = self._folder / "users"
        others = [line for line in users.read_text().splitlines() if not line.startswith(f"{address}:")]
        users.write_text("\n".join([*others, f"{address}:{{PLAIN}}{password}"]) + "\n")

    def deliver(self, address: str, messages: Iterable[bytes], *, folder: str = "INBOX") -> int:
        """Puts messages into a mailbox by writing Maildir files; returns how many. LF line ends are stored as such."""
        maildir = self._home(address) if folder == "INBOX" else self._home(address) / f".{folder}"
        for part in ("tmp", "new", "cur"):
            self._make(maildir / part)
        count = 0
        for raw in messages:
            self._delivered += 1
            count += 1
            # The sizes stand in the name, as Dovecot's own delivery writes them: asked for, they cost it no reading.
            virtual = len(raw) + raw.count(b"\n") - raw.count(b"\r\n")
            name = f"{1_700_000_000 + self._delivered}.M{self._delivered}P1.test,S={len(raw)},W={virtual}"
            temporary = maildir / "tmp" / name
            temporary.write_bytes(raw)
            os.chown(temporary, self._user.pw_uid, self._user.pw_gid)
            os.utime(temporary, (1_700_000_000 + self._delivered,) * 2)
            temporary.rename(maildir / "new" / name)
        return count

    def log(self) -> str:
        return (self._folder / "log").read_text(errors="replace")

    def _home(self, address: str) -> Path:
        return self._folder / "mail" / address if address else self._folder / "mail"

    def _make(self, path: Path) -> None:
        """A folder and its parents below the mail root, owned by the mail user."""
        if path.exists():
            return
        self._make(path.parent)
        path.mkdir()
        os.chown(path, self._user.pw_uid, self._user.pw_gid)

    def _write_certificate(self) -> None:
        authority = trustme.CA()
        authority.cert_pem.write_to_path(str(self.ca_file))
        certificate = authority.issue_cert("127.0.0.1", "localhost")
        certificate.private_key_pem.write_to_path(str(self._folder / "key.pem"))
        for index, blob in enumerate(certificate.cert_chain_pems):
            blob.write_to_path(str(self._folder / "cert.pem"), append=index > 0)

    def _configuration(self) -> str:
        internal = "dovecot" if os.geteuid() == 0 else self._user.pw_name
        login = "dovenull" if os.geteuid() == 0 else self._user.pw_name
        return f"""
base_dir = {self._folder}/run
state_dir = {self._folder}/state
log_path = {self._folder}/log
listen = {self.host}
protocols = imap
default_internal_user = {internal}
default_login_user = {login}
{"" if os.geteuid() == 0 else "default_internal_group = " + str(self._user.pw_gid)}
first_valid_uid = 1
first_valid_gid = 1
mail_location = maildir:{self._folder}/mail/%u
mail_max_userip_connections = 1000
disable_plaintext_auth = no
auth_mechanisms = plain login
ssl = yes
ssl_cert = <{self._folder}/cert.pem
ssl_key = <{self._folder}/key.pem
passdb {{
  driver = passwd-file
  args = scheme=PLAIN {self._folder}/users
}}
userdb {{
  driver = static
  args = uid={self._user.pw_uid} gid={self._user.pw_gid} home={self._folder}/mail/%u
}}
namespace inbox {{
  inbox = yes
  separator = /
  mailbox Sent {{
    auto = create
    special_use = \\Sent
  }}
}}
service imap-login {{
  service_count = 0
  {"" if os.geteuid() == 0 else "chroot ="}
  inet_listener imap {{
    port = {self.port}
  }}
  inet_listener imaps {{
    port = {self.tls_port}
    ssl = yes
  }}
}}
service anvil {{
  {"" if os.geteuid() == 0 else "chroot ="}
}}
service stats {{
  {"" if os.geteuid() == 0 else "chroot ="}
}}
"""

    def _wait_until_it_listens(self) -> None:
        deadline = time.monotonic() + 10
        for port in (self.port, self.tls_port):
            while True:
                try:
                    socket.create_connection((self.host, port), timeout=1).close()
                    break
                except OSError:
                    if time.monotonic() > deadline:
                        raise RuntimeError(f"Dovecot did not start: {self.log()}") from None
                    self._notice_its_end_within(0.02)

    def _notice_its_end_within(self, seconds: float) -> None:
        assert self._process is not None
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(seconds)
            raise RuntimeError(f"Dovecot ended: {self.log()}")
