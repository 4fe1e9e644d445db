"""The process while others hang or its settings do not fit: it ends in time, and says what is wrong."""

from __future__ import annotations

import socket
from contextlib import suppress
from pathlib import Path

import aiohttp
import pytest

from storage.sqlite_file import claim_file
from tests.journeys.process import ROOT, pause, stage, until


async def test_it_ends_at_once_while_it_waits_for_a_slack_that_hangs(tmp_path: Path) -> None:
    """The first question to Slack may take half a minute: longer than an end may."""
    async with stage(tmp_path) as one:
        holding = one.slack.hold("auth.test")
        await one.product.launch()

        async def alive() -> bool:
            with suppress(aiohttp.ClientError):
                async with session.get(f"{one.product.url}/healthz") as answer:
                    return answer.status == 200
            return False

        async with aiohttp.ClientSession() as session:
            await until(alive, "it serves its pages, and so asks Slack who we are")
        code, seconds = await one.product.terminate()
        holding.release()
    assert code == 0, one.product.log
    assert seconds < 10


async def test_a_look_into_a_silent_sent_folder_does_not_delay_the_end(tmp_path: Path) -> None:
    """Undecided mail is looked up again by the next process."""
    async with stage(tmp_path) as one:
        await one.product.start()
        await one.product.settings(spacing_min_s="0", spacing_max_s="0", settle_s="0.2,30,60")
        await one.connect()
        await one.green()
        people = one.product.file("people.csv", "first_name,personal_email\nMaya,maya.lind@candidates.example\n")
        stages = "stages: [{kind: email, delay: 0s, subject: Hello, body: Hi}]"
        await one.product.ask(
            "campaign", "import", one.product.file("c.yml", f"name: C\nfrom: rita@agency.test\n{stages}\n")
        )
        await one.product.ask("campaign", "enroll", "C", "--people", people)
        await one.host.switch("rita@agency.test", "silent", True)
        await one.product.ask("campaign", "start", "C")

        async def sending() -> bool:
            return bool((await one.product.ask("email-log"))[0]["status"] == "Sending")

        await until(sending, "the mail is being sent")
        await one.product.kill()
        await one.product.start()

        async def looked_for() -> bool:
            return bool((await one.product.ask("email-log"))[0]["status"] == "Uncertain")

        await until(looked_for, "the mail is undecided")
        await pause(1)  # the look begins 0.2 s after the start
        code, seconds = await one.product.terminate()
    assert code == 0, one.product.log
    assert seconds < 20


@pytest.mark.parametrize("name", ["RETHREAD_PORT", "RETHREAD_CA_FILE", "RETHREAD_ROLE"])
async def test_what_only_starting_can_show_is_told_like_any_wrong_setting(tmp_path: Path, name: str) -> None:
    """Exit 2 and the variable's name, no traceback."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        wrong = {
            "RETHREAD_PORT": str(taken.getsockname()[1]),
            "RETHREAD_CA_FILE": str(ROOT / "README.md"),
            "RETHREAD_ROLE": "engine",
        }
        async with stage(tmp_path) as one:
            answer = await one.product.run("serve", environment={**one.product.environment, name: wrong[name]})
    assert answer.code == 2, answer.err
    assert name in answer.err
    assert "Traceback" not in answer.err


async def test_mail_goes_while_slack_is_away(tmp_path: Path) -> None:
    """A process that starts during Slack's outage reads and sends all the same; what is to be told waits."""
    async with stage(tmp_path) as one:
        await one.product.start()
        await one.product.settings(spacing_min_s="0", spacing_max_s="0")
        await one.connect()
        await one.green()
        people = one.product.file("people.csv", "first_name,personal_email\nMaya,maya.lind@candidates.example\n")
        stages = "stages: [{kind: email, delay: 0s, subject: Hello, body: Hi}]"
        campaign = one.product.file("c.yml", f"name: C\nfrom: rita@agency.test\n{stages}\n")
        await one.product.ask("campaign", "import", campaign)
        await one.product.ask("campaign", "enroll", "C", "--people", people)
        await one.product.kill()
        one.slack.fail_next("auth.test", 500, times=100)
        await one.product.launch()
        await one.product.ask("campaign", "start", "C")
        await one.host.wait_accepted(lambda mail: "maya.lind@candidates.example" in mail.rcpts, timeout=60)
        code, _ = await one.product.terminate()
    assert code == 0, one.product.log


async def test_a_start_waits_for_a_command_that_has_the_database_for_a_moment(tmp_path: Path) -> None:
    """SQLite admits one process: a command typed while the server starts must not end the start."""
    async with stage(tmp_path) as one:
        lock = claim_file(Path(one.product.environment["DATABASE_URL"].split(":///", 1)[1]))
        await one.product.launch()
        await pause(3)  # long enough for it to have found the database taken
        lock.release()
        await one.product.wait_ready()
