"""Any provider, any pieces, any few faults and lies at once: in the end each message is read once, nothing hangs."""

from __future__ import annotations

import asyncio

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from core.errors import MailError
from core.mail.imap import ImapTimeouts
from tests.fakes.fault_imap import Deed, Fault, FaultImap, Lies, Profile, Wire
from tests.fakes.fault_imap_faults import POINTS
from tests.fakes.fault_imap_model import plain_mail
from tests.fakes.fault_imap_profiles import PROFILES
from tests.integration.mail.fault_session import PATIENT, SHORT, Seen, assert_all_read, outcome

# Words that may stand between any two lines and make no message; those that end a session are deeds of their own.
NOISE = (
    b"* 9 EXISTS\r\n",
    b"* 1 EXPUNGE\r\n",
    b"* VANISHED 1:*\r\n",
    b"* 2 FETCH (FLAGS (\\Seen))\r\n",
    b"* OK [ALERT] {7}\r\n",
    b"\x00\x00\r\n",
    b"ZZZZ9 BAD what\r\n",
    b"* 1 EXPUNGE\r\n* 1 EXISTS\r\n" * 1_000,
)
# Within an answer any word would be part of it; before the greeting it would be the greeting.
BETWEEN = [point for point in POINTS if point not in {"GREETING", "FETCH:line", "FETCH:literal"}]
ANSWERS = (b"NO [SERVERBUG] Internal error", b"BAD Command Error. 10", b"NO [UNAVAILABLE] later")

endings = st.builds(
    Fault, st.sampled_from(POINTS), st.sampled_from([Deed.DROP, Deed.HANG_UP, Deed.BYE]), nth=st.integers(1, 3)
)
silences = st.builds(Fault, st.sampled_from(POINTS), st.just(Deed.STALL))
noises = st.builds(
    Fault, st.sampled_from(BETWEEN), st.just(Deed.SAY), st.sampled_from(NOISE), nth=st.integers(1, 2), times=st.just(2)
)
refusals = st.builds(
    Fault,
    st.sampled_from(["LIST", "SELECT", "STATUS", "FETCH", "SEARCH"]),
    st.just(Deed.ANSWER),
    st.sampled_from(ANSWERS),
)
lies = st.builds(
    Lies,
    uidvalidity=st.sampled_from([None, None, 0]),
    uidnext=st.sampled_from([None, None, 0, 1, 4_294_967_295]),
    exists_more=st.sampled_from([0, 0, 1, 500]),
    highestmodseq=st.sampled_from([None, 0, 1, 2**63]),
    vanished=st.sampled_from(["", "1:26183"]),
)
wires = st.builds(Wire, st.sampled_from([0, 0, 1, 5, 100]), st.integers(0, 99))
faults = st.lists(st.one_of(endings, noises, refusals), max_size=4)
MOST_SESSIONS = 12


async def read_in_the_end(
    profile: Profile, chosen: list[Fault], told: Lies, wire: Wire, patience: ImapTimeouts
) -> None:
    async with FaultImap(profile, faults=chosen, lies=told, wire=wire) as server:
        for number in (1, 2, 3):
            server.box[profile.inbox].add(plain_mail(number))
        server.box[profile.inbox].expunge(2)
        for _ in range(MOST_SESSIONS):
            ended = await outcome(server, patience)
            if isinstance(ended, Seen):
                assert_all_read(server, ended)
                return
            assert isinstance(ended, MailError)
        raise AssertionError(f"no session came through: {server.struck}")


@settings(max_examples=60, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(st.sampled_from(PROFILES), faults, lies, wires)
def test_whatever_breaks_a_later_session_reads_each_message_once(
    profile: Profile, chosen: list[Fault], told: Lies, wire: Wire
) -> None:
    asyncio.run(read_in_the_end(profile, chosen, told, wire, PATIENT))


@settings(max_examples=15, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(st.sampled_from(PROFILES), silences, faults)
def test_a_silence_among_other_faults_ends_in_time(profile: Profile, silence: Fault, chosen: list[Fault]) -> None:
    asyncio.run(read_in_the_end(profile, [silence, *chosen[:2]], Lies(), Wire(), SHORT))
