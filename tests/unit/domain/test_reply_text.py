"""What a person typed, without what they quoted or signed."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.domain.mime import visible_reply

OWN = "Thanks Rita, that sounds interesting.\nCould we talk on Thursday?"


@pytest.mark.parametrize(
    "quotation",
    [
        "On Mon, 2 Nov 2026 at 10:03, Rita <rita@agency.test> wrote:\n> Hi Carla",
        "On Mon, 2 Nov 2026 at 10:03, Rita from the Agency <\nrita@agency.test> wrote:\n\n> Hi Carla",
        "Am Mo., 2. Nov. 2026 um 10:03 Uhr schrieb Rita <rita@agency.test>:\n> Hi Carla",
        "Le lun. 2 nov. 2026 à 10:03, Rita <rita@agency.test> a écrit :\n> Hi Carla",
        "El lun, 2 nov 2026 a las 10:03, Rita (<rita@agency.test>) escribió:\n> Hi Carla",
        "Il giorno lun 2 nov 2026 alle ore 10:03 Rita <rita@agency.test> ha scritto:\n> Hi Carla",
        "Op ma 2 nov 2026 om 10:03 schreef Rita <rita@agency.test>:\n> Hi Carla",
        "Den mån 2 nov. 2026 kl 10:03 skrev Rita <rita@agency.test>:\n> Hi Carla",
        "пн, 2 нояб. 2026 г. в 10:03, Rita <rita@agency.test>:\n> Hi Carla",
        "2026年11月2日(月) 10:03 Rita <rita@agency.test>:\n> Hi Carla",
        "Rita R <rita@agency.test> schrieb am Mo., 2.\nNov. 2026, 10:03:\n\n> Hi Carla",
        "Rita <rita@agency.test> 在 2026年11月2日 周一 10:03 写道：\n\nHi Carla",
        "2026. nov. 2., h 10:03 időpontban Rita <rita@agency.test> ezt írta:\nHi Carla",
        "Feladó: Rita <rita@agency.test>\nElküldve: 2026. november 2. 10:03\nTárgy: Állás\n\nHi Carla",
        "Remetent: Rita <rita@agency.test>\nEnviat: 2/11/2026 10:03\nPer a: Carla\n\nHi Carla",
        "-----Original Message-----\nFrom: Rita\nHi Carla",
        "________________________________\nFrom: Rita <rita@agency.test>\nSent: Monday\n\nHi Carla",
        "From: Rita <rita@agency.test>\nSent: Monday, 2 November 2026 10:03\nTo: Carla\nSubject: Role\n\nHi Carla",
        "Von: Rita <rita@agency.test>\nGesendet: Montag\nAn: Carla\nBetreff: Rolle\n\nHi Carla",
        "De : Rita <rita@agency.test>\nEnvoyé : lundi\nÀ : Carla\nObjet : Poste\n\nHi Carla",
        "Sent from my iPhone\n\nOn 2 Nov 2026, at 10:03, Rita <rita@agency.test> wrote:\n> Hi Carla",
        "Gesendet von Outlook für Android<https://aka.test/x>",
        "-- \nCarla C\n+44 0000",
        "Best regards,\nCarla",
        "Mit freundlichen Grüßen\nCarla",
        "> Hi Carla\n> a role",
    ],
)
@pytest.mark.parametrize("ends", ["\n", "\r\n"])
def test_only_the_own_words_are_visible(quotation: str, ends: str) -> None:
    """In the languages and mail programs of the field, with either line end."""
    assert visible_reply(f"{OWN}\n\n{quotation}\n".replace("\n", ends)) == OWN


@pytest.mark.parametrize(
    "text",
    [
        "From: London\nI can travel any day.",
        "On the other hand, I wrote:\nnothing so far.",
        "Sent from my desk, which is easier than my phone.",
        "With regards to the salary, 2026 is fine.",
        "I left the company in 2020.",
        "My plan:\nMonday: 10:30 call\nTuesday: 11:00 visit",
        "Ask Dan <dan@candidates.example> about 2026",
        "The answer of 10:30 is: yes",
    ],
)
def test_sentences_that_look_like_quotations_stay(text: str) -> None:
    """A wrong cut loses what the candidate said."""
    assert visible_reply(text) == text


def test_an_answer_below_the_quotation_is_found() -> None:
    """Bottom posting."""
    assert (
        visible_reply(f"On 2 Nov 2026 at 10:03, Rita <rita@agency.test> wrote:\n> Hi Carla\n> a role\n\n{OWN}") == OWN
    )


def test_own_lines_between_quoted_ones_stay() -> None:
    """Interleaved answers without an attribution."""
    assert visible_reply("> Monday?\nNo.\n> Tuesday?\nYes.") == "No.\nYes."


def test_nothing_typed_is_empty() -> None:
    """A mail of quotations only."""
    assert visible_reply("> Hi Carla\n> a role\n") == ""
    assert visible_reply("") == ""


@given(st.text())
def test_no_text_makes_it_raise(text: str) -> None:
    """And nothing is invented."""
    visible = visible_reply(text)
    assert len(visible) <= len(text) + 1


@pytest.mark.parametrize(
    "piece", ["> ", "On 2026 ", "From: a\n", "a\n", "-", "_", "\n", "On 2 Nov 2026 10:00 a@b\n", "<", "wrote: "]
)
def test_time_is_linear(piece: str) -> None:
    """T23."""

    def seconds(length: int) -> float:
        text = (piece * length)[:length]
        start = time.process_time()
        visible_reply(text)
        return time.process_time() - start

    small, large = (min(seconds(length) for _ in range(3)) for length in (16_384, 65_536))
    assert large < 8 * small + 0.02
    assert seconds(10_000_000) < 1.0
