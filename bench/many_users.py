"""A Dovecot that a thousand users may be logged in to at once."""

from __future__ import annotations

import os
from collections.abc import Sequence

from tests.integration.mail.dovecot import Dovecot


class ManyUsers(Dovecot):
    """``tests.integration.mail.dovecot.Dovecot`` with room for 2,000 sessions, each a process of its own."""

    def add_users(self, addresses: Sequence[str], password: str) -> None:
        """Adds all at once: ``add_user`` reads and writes the file for each."""
        (self._folder / "users").write_text("".join(f"{one}:{{PLAIN}}{password}\n" for one in addresses))
        for one in addresses:
            home = self._home(one)
            home.mkdir()
            os.chown(home, self._user.pw_uid, self._user.pw_gid)

    def _configuration(self) -> str:
        return (
            super()._configuration()
            + "default_process_limit = 2000\ndefault_client_limit = 8000\nservice imap {\n  process_limit = 2000\n}\n"
        )
