"""Which folders are read, in which order, and which one is waited on."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from core.domain.watched_folders import FURTHER, Choice, choose


@dataclass(frozen=True)
class Folder:
    name: str
    role: str | None = None
    selectable: bool = True


PLAIN = [
    Folder("INBOX", "inbox"),
    Folder("Drafts", "drafts"),
    Folder("Sent", "sent"),
    Folder("Junk", "junk"),
    Folder("Trash", "trash"),
    Folder("Archive", "archive"),
    Folder("Clients"),
    Folder("Clients/Initech"),
    Folder("[Hidden]", selectable=False),
]
GMAIL = [
    Folder("INBOX", "inbox"),
    Folder("[Gmail]", selectable=False),
    Folder("[Gmail]/Alle Nachrichten", "all"),
    Folder("[Gmail]/Gesendet", "sent"),
    Folder("[Gmail]/Spam", "junk"),
    Folder("[Gmail]/Entwürfe", "drafts"),
    Folder("Kunden"),
]


def read(choice: Choice | None) -> list[str]:
    assert choice is not None
    return [folder.name for folder in choice.folders]


def test_elsewhere_sent_junk_and_the_inbox_are_read_the_inbox_last() -> None:
    """It is the one waited on."""
    choice = choose(PLAIN, provider="other")
    assert read(choice) == ["Sent", "Junk", "INBOX"]
    assert choice is not None
    assert (choice.main, choice.all_mail_hidden) == ("INBOX", False)


def test_of_gmail_all_mail_and_spam_by_their_marks_not_their_names() -> None:
    choice = choose(GMAIL, provider="google", further=("all",))
    assert read(choice) == ["[Gmail]/Spam", "[Gmail]/Alle Nachrichten"]
    assert choice is not None
    assert choice.main == "[Gmail]/Alle Nachrichten"


def test_where_gmail_hides_all_mail_the_inbox_and_sent_take_its_place() -> None:
    listed = [folder for folder in GMAIL if folder.role != "all"]
    choice = choose(listed, provider="google")
    assert read(choice) == ["[Gmail]/Gesendet", "[Gmail]/Spam", "INBOX"]
    assert choice is not None
    assert choice.all_mail_hidden


def test_a_folder_marked_all_elsewhere_is_not_gmails() -> None:
    """Dovecot may offer a virtual one: what it shows is read where it lies."""
    choice = choose([*PLAIN, Folder("All", "all")], provider="other", further=("all",))
    assert "All" not in read(choice)


@pytest.mark.parametrize(
    ("further", "names"),
    [
        ((), set()),
        (("clients",), {"Clients"}),
        (("CLIENTS/INITECH", "Nowhere"), {"Clients/Initech"}),
        (("all",), {"Clients", "Clients/Initech"}),
        (("Drafts", "Trash", "[Hidden]"), set()),
        (("INBOX", "sent"), set()),
    ],
)
def test_further_folders_by_name_or_all_that_may_hold_answers(further: tuple[str, ...], names: set[str]) -> None:
    """R211: never drafts, the bin or the archive, and nothing twice."""
    choice = choose(PLAIN, provider="other", further=further)
    assert choice is not None
    assert {folder.name for folder in choice.folders if folder.role == FURTHER} == names
    assert len(read(choice)) == len(set(read(choice)))
    assert read(choice)[-1] == "INBOX"


def test_without_an_inbox_there_is_nothing_to_wait_on() -> None:
    assert choose([], provider="other") is None
    assert choose([Folder("INBOX", "inbox", selectable=False)], provider="other") is None
    assert choose([Folder("Sent", "sent")], provider="google") is None


def test_of_two_folders_marked_as_sent_the_first_is_in_use() -> None:
    listed = [Folder("INBOX", "inbox"), Folder("Sent", "sent"), Folder("Sent Items", "sent")]
    assert read(choose(listed, provider="microsoft")) == ["Sent", "INBOX"]
