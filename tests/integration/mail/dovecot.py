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
import tempfile
import time
from collections.abc import Iterable, Mapping
from contextlib import ExitStack, suppress
from pathlib import Path
from types import TracebackType

import pytest
import trustme

from tests.ports import held_port

BINARY = "/usr/sbin/dovecot"


def require_dovecot() -> None:
    """Skips where Dovecot is not installed; in CI its absence is a failure."""
    if os.path.exists(BINARY):
        return
    reason = "Debian's dovecot-imapd is not installed"
    if os.environ.get("CI"):
        pytest.fail(reason)
    pytest.skip(reason)


# The folders that a server makes by itself, by name, with what they are for (RFC 6154).
FOLDERS = {"Sent": "\\Sent"}


class Dovecot:
    """A server in ``folder``; a context manager.

    ``capability`` replaces the list that the server tells; ``introspection`` is the URL that judges access tokens
    (RFC 7662), which switches XOAUTH2 on; ``folders`` as ``FOLDERS``.
    """

    host = "127.0.0.1"

    def __init__(
        self, folder: Path, *, capability: str = "", introspection: str = "", folders: Mapping[str, str] = FOLDERS
    ) -> None:
        # As root the mail belongs to nobody, who must pass through every parent; pytest shuts its own folders against
        # others whenever it starts anywhere.
        self._folder = Path(tempfile.mkdtemp(prefix="dovecot-")) if os.geteuid() == 0 else folder / "dovecot"
        self._capability, self._introspection, self._folders = capability, introspection, folders
        self._delivered = 0
        self._process: subprocess.Popen[bytes] | None = None
        # As root the mail belongs to nobody, else to the one who runs the test.
        self._user = pwd.getpwnam("nobody" if os.geteuid() == 0 else getpass.getuser())
        self._ends = ExitStack()
        self.port, self.tls_port = (self._ends.enter_context(held_port()) for _ in range(2))
        self.ca_file = self._folder / "ca.pem"

    def __enter__(self) -> Dovecot:
        self._folder.mkdir(parents=True, exist_ok=True)
        self._folder.chmod(0o755)
        self._write_certificate()
        (self._folder / "users").touch()
        self._home("").mkdir()
        (self._folder / "dovecot.conf").write_text(self._configuration())
        (self._folder / "oauth2.conf").write_text(
            f"introspection_mode = post\nintrospection_url = {self._introspection}\n"
            "username_attribute = username\nactive_attribute = active\nactive_value = true\n"
        )
        self._start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop()
        self._ends.close()
        shutil.rmtree(self._folder, ignore_errors=True)

    def restart(self) -> None:
        """Ends every connection; comes back on the same ports."""
        self._stop()
        self._start()

    def _start(self) -> None:
        command = [BINARY, "-F", "-c", str(self._folder / "dovecot.conf")]
        self._process = subprocess.Popen(
            command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True
        )
        self._wait_until_it_listens()

    def _stop(self) -> None:
        assert self._process is not None
        self._process.send_signal(signal.SIGTERM)
        try:
            self._process.wait(10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        with suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)  # sessions outlive their master by a while

    def add_user(self, address: str, password: str) -> None:
        """Adds a mailbox, or changes its password."""
        self._make(self._home(address))
        users = self._folder / "users"
        others = [line for line in users.read_text().splitlines() if not line.startswith(f"{address}:")]
        users.write_text("\n".join([*others, f"{address}:{{PLAIN}}{password}"]) + "\n")

    def deliver(self, address: str, messages: Iterable[bytes], *, folder: str = "INBOX") -> int:
        """Puts messages into a mailbox by writing Maildir files; returns how many. LF line ends are stored as such."""
        maildir = self._maildir(address, folder)
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

    def lose_index(self, address: str, *, folder: str = "INBOX") -> None:
        """Deletes what Dovecot can build again from the mails: UIDs stay, modification sequences do not."""
        for path in self._maildir(address, folder).glob("dovecot.index*"):
            path.unlink()

    def renumber(self, address: str, *, folder: str = "INBOX") -> None:
        """Loses the list of numbers too: every mail gets a new UID under a new UIDVALIDITY."""
        self.lose_index(address, folder=folder)
        (self._maildir(address, folder) / "dovecot-uidlist").unlink()

    def log(self) -> str:
        return (self._folder / "log").read_text(errors="replace")

    def _home(self, address: str) -> Path:
        return self._folder / "mail" / address if address else self._folder / "mail"

    def _maildir(self, address: str, folder: str) -> Path:
        return self._home(address) if folder == "INBOX" else self._home(address) / f".{folder}"

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
auth_failure_delay = 0
auth_mechanisms = plain login{" xoauth2" if self._introspection else ""}
{f"imap_capability = {self._capability}" if self._capability else ""}
ssl = yes
ssl_cert = <{self._folder}/cert.pem
ssl_key = <{self._folder}/key.pem
passdb {{
  driver = passwd-file
  args = scheme=PLAIN {self._folder}/users
  mechanisms = plain login
}}
{self._token_passdb()}
userdb {{
  driver = static
  args = uid={self._user.pw_uid} gid={self._user.pw_gid} home={self._folder}/mail/%u
}}
namespace inbox {{
  inbox = yes
  separator = /
  {self._special_folders()}
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
  # No growing wait after refused logins: all tests come from one address.
  unix_listener anvil-auth-penalty {{
    mode = 0
  }}
  {"" if os.geteuid() == 0 else "chroot ="}
}}
service stats {{
  {"" if os.geteuid() == 0 else "chroot ="}
}}
"""

    def _token_passdb(self) -> str:
        if not self._introspection:
            return ""
        return f"passdb {{\n  driver = oauth2\n  mechanisms = xoauth2\n  args = {self._folder}/oauth2.conf\n}}"

    def _special_folders(self) -> str:
        """Names stand here in UTF-8, on the disk and on the wire in modified UTF-7."""
        return "\n  ".join(
            f'mailbox "{name}" {{\n    auto = create\n    special_use = {use}\n  }}'
            if use
            else f'mailbox "{name}" {{\n    auto = create\n  }}'
            for name, use in self._folders.items()
        )

    def _wait_until_it_listens(self) -> None:
        deadline = time.monotonic() + 60
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
