"""Servers' own words, as projects in the field have met them, and the same words in other clothes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from core.domain.diagnosis import CAUSES, Failure, diagnose
from tests.corpus.diagnosis_mutations import variants

_HERE = Path(__file__).parent
_SHARED = _HERE.parents[2] / "shared" / "data" / "error_signatures.jsonl"

_HOSTS = {
    "google": {"imap": "imap.gmail.com", "smtp": "smtp.gmail.com", "oauth": "oauth2.googleapis.com"},
    "microsoft": {"imap": "outlook.office365.com", "smtp": "smtp.office365.com", "oauth": "login.microsoftonline.com"},
    "yahoo": {"imap": "imap.mail.yahoo.com", "smtp": "smtp.mail.yahoo.com"},
    "icloud": {"imap": "imap.mail.me.com", "smtp": "smtp.mail.me.com"},
    "godaddy": {"smtp": "smtpout.secureserver.net"},
    "zoho": {"imap": "imap.zoho.eu", "smtp": "smtp.zoho.com"},
    "yandex": {"imap": "imap.yandex.ru"},
    "gmx": {"imap": "imap.gmx.net"},
    "ionos": {"smtp": "smtp.ionos.de"},
}


def _rows(path: Path) -> list[dict[str, Any]]:
    if not path.exists():
        return []
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines() if line.strip()]


def _host(row: dict[str, Any]) -> str:
    return _HOSTS.get(row["provider"], {}).get(row["layer"], "mail.agency.test")


_SAMPLES = _rows(_SHARED)
_VARIANTS = _rows(_HERE / "diagnosis_variants.jsonl")

needs_samples = pytest.mark.skipif(not _SAMPLES, reason="the samples lie beside the checkout, not in it")


@needs_samples
@pytest.mark.parametrize("row", _SAMPLES, ids=lambda row: str(row["id"]))
def test_a_sample_gets_its_cause(row: dict[str, Any]) -> None:
    """Cause and transience of every known sample, at the host that speaks so."""
    verdict = diagnose(Failure(row["layer"], row["sample"], _host(row)))
    assert (verdict.cause, verdict.transient) == (row["cause"], row["transient"])
    assert verdict.raw == row["sample"]


@needs_samples
@pytest.mark.parametrize("row", _SAMPLES, ids=lambda row: str(row["id"]))
def test_a_sample_in_other_clothes_keeps_its_cause(row: dict[str, Any]) -> None:
    """Ids, tags, hosts, case, blanks and line breaks do not hide what was said."""
    wrong = {
        name: (text, verdict.cause)
        for name, text in variants(row["sample"])
        if (verdict := diagnose(Failure(row["layer"], text, _host(row)))).cause != row["cause"]
    }
    assert wrong == {}


@needs_samples
def test_the_table_knows_every_cause_of_the_samples() -> None:
    """No sample names a cause without class, person and fix."""
    assert {row["cause"] for row in _SAMPLES} <= set(CAUSES)


@pytest.mark.parametrize("row", _VARIANTS, ids=lambda row: str(row["text"])[:60])
def test_wording_nobody_has_listed_gets_its_cause(row: dict[str, Any]) -> None:
    """Other wordings of the same trouble, from other servers; more than one cause is given where both are right."""
    assert diagnose(Failure(row["layer"], row["text"], row["host"])).cause in row["causes"]


def test_there_are_enough_variants_to_mean_something() -> None:
    """A lost file must not pass for success."""
    assert len(_VARIANTS) > 200
