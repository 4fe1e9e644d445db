"""Copies in Sent, filed on a real Dovecot, which keeps none of what it takes by SMTP."""

from __future__ import annotations

from pathlib import Path

import pytest

from core.clock import SystemClock
from core.mail.dialler import Dialler
from core.mail.dns import Resolver
from core.mail.imap import ImapConnector
from core.mail.tls import make_tls_context
from core.ports.mail import Credentials, Endpoint, Tls
from core.services.credentials import CredentialService
from core.services.filing import FilingService
from storage.sql_store import SqlStore
from tests.fakes.mail import PASSWORD
from tests.integration.mail.conftest import QUICK
from tests.integration.mail.dovecot import Dovecot, require_dovecot
from tests.services.rig import SETTINGS, Rig

pytestmark = pytest.mark.dovecot

RITA = "rita@agency.test"


async def test_each_mail_stands_in_sent_once_as_it_went_out(store: SqlStore, tmp_path: Path) -> None:
    """Also where it was filed before, and the mark was lost; seen, so that nobody takes it for news."""
    require_dovecot()
    rig = Rig.on(store)
    with Dovecot(tmp_path) as dovecot:
        dovecot.add_user(RITA, PASSWORD)
        server = Endpoint("localhost", dovecot.tls_port, Tls.SSL)
        connector = ImapConnector(
            Dialler(Resolver(SystemClock()), allow_private=True), make_tls_context(dovecot.ca_file), timeouts=QUICK
        )
        await rig.settings.seed("T1", SETTINGS)
        await rig.connect(imap=server)
        await rig.read_mail()
        await rig.launch(3)
        await rig.send_due()
        client = await connector.connect(server, Credentials(RITA, PASSWORD))
        await client.append("Sent", rig.provider.accepted[1])
        rig.clock.pass_time(minutes=3)
        filing = FilingService(rig.tools, connector, CredentialService(rig.tools, {}))
        assert await filing.file_due("T1") == 1
        found = await client.select("Sent")
        filed = [await client.fetch_raw(uid) for uid in range(1, found.exists + 1)]
        flags = [one.flags async for batch in client.fetch(1) for one in batch]
        await client.close()
    assert sorted(filed) == sorted(rig.provider.accepted)
    assert all("\\Seen" in one for one in flags)
