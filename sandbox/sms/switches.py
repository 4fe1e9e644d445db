"""The switches by which a person or a test makes the text message provider fail."""

from dataclasses import dataclass
from typing import Literal

WELL = ""

# HTTP status and words for each number by which a request is refused.
REFUSALS: dict[int, tuple[int, str]] = {
    20003: (401, "Authenticate"),
    20404: (404, "The requested resource was not found"),
    20429: (429, "Too Many Requests"),
    21211: (400, "Invalid 'To' Phone Number"),
    21212: (400, "Invalid 'From' Number"),
    21408: (400, "Permission to send an SMS has not been enabled for the region indicated by the 'To' number"),
    21602: (400, "Message body is required"),
    21603: (400, "A 'From' or 'MessagingServiceSid' parameter is required"),
    21604: (400, "A 'To' phone number is required"),
    21606: (400, "The 'From' phone number provided is not a valid message-capable Twilio phone number"),
    21608: (400, "The number is unverified. Trial accounts cannot send messages to unverified numbers"),
    21610: (400, "Attempt to send to unsubscribed recipient"),
    21611: (400, "This 'From' number has exceeded the maximum number of queued messages"),
    21612: (400, "Message cannot be sent with the current combination of 'To' and 'From' parameters"),
    21614: (400, "'To' number is not a valid mobile number"),
    21617: (400, "The concatenated message body exceeds the 1600 character limit"),
    21659: (400, "'From' is not a Twilio phone number or short code"),
}
# Numbers with which a message that was taken comes back later.
FAILURES: dict[int, str] = {
    30003: "Unreachable destination handset",
    30004: "Message blocked",
    30005: "Unknown destination handset",
    30006: "Landline or unreachable carrier",
    30007: "Message filtered",
    30008: "Unknown error",
    30034: "Message from an unregistered number",
}


@dataclass(frozen=True, slots=True)
class Switch:
    """One switch: how it reads, and what it may stand on (of a choice; the empty value harms nothing)."""

    name: str
    label: str
    help: str
    kind: Literal["toggle", "choice"] = "toggle"
    options: tuple[tuple[str, str], ...] = ()

    @property
    def well(self) -> bool | str:
        """The value at which it harms nothing."""
        return WELL if self.kind == "choice" else False

    def checked(self, value: object) -> bool | str:
        """The value if it fits. Raises ValueError: it does not; the text says what is wanted."""
        if self.kind == "toggle":
            if not isinstance(value, bool):
                raise ValueError(f"{self.name} takes true or false")
            return value
        allowed = [option for option, _ in self.options]
        if value not in allowed:
            raise ValueError(f"{self.name} takes one of {', '.join(filter(None, allowed))}, or nothing")
        return str(value)

    def described(self, value: bool | str) -> dict[str, object]:
        """The switch as the page draws it, its present value in it."""
        told: dict[str, object] = {
            "name": self.name, "label": self.label, "help": self.help, "kind": self.kind, "value": value,
            "well": self.well,
        }  # fmt: skip
        if self.options:
            told["options"] = [{"value": allowed, "label": label} for allowed, label in self.options]
        return told


def _numbered(first: str, words: dict[int, str]) -> tuple[tuple[str, str], ...]:
    return ((WELL, first), *((str(code), f"{code}: {text}") for code, text in words.items()))


SWITCHES = (
    Switch(
        "refuse",
        "Refuses texts",
        "Every text is refused with this number.",
        "choice",
        _numbered("Takes them", {code: words for code, (_, words) in REFUSALS.items()}),
    ),
    Switch(
        "undelivered",
        "Fails to deliver",
        "Texts are taken, and come back with this number.",
        "choice",
        _numbered("Delivers them", FAILURES),
    ),
    Switch(
        "answer",
        "Answer to a text",
        "What the program that sends hears of it.",
        "choice",
        (
            (WELL, "An answer"),
            ("silent", "Taken, then silence"),
            ("cut", "Taken, then the connection breaks"),
            ("nonsense", "Taken, then an answer that nobody can read"),
            ("endless", "Taken, then an answer without end"),
            ("lost", "The connection breaks before it is taken"),
        ),
    ),
    Switch("throttled", "Too many requests", "Everything is answered with 429."),
    Switch("down", "Out of order", "Everything is answered with 503."),
    Switch("trial", "Trial account", "Words of the provider's stand before each text."),
)
