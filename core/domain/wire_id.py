"""The Message-ID that a mail left with, where the server put its own in place of ours and says so in its answer. Pure.

Replies and reports name that one. Microsoft and Amazon SES are the hosts known to replace it; both tell the new one in
the text of the 250 (Amazon: docs.aws.amazon.com/ses/latest/dg/header-fields.html, and .../troubleshoot-smtp.html).
Other texts of a 250 hold names of queues, which no mail carries.
"""

from __future__ import annotations

import re
from typing import Final

_LONGEST_REPLY: Final = 2_000
# 250 2.0.0 OK <AB0PR01.prod.outlook.com> [Hostname=...]; 250 2.6.0 <id> [InternalId=1, Hostname=...] Queued mail ...
_MICROSOFT: Final = re.compile(
    r"250 2\.(?:0\.0 OK|6\.0) <([!-;=?A-~]{1,400}@[!-;=?A-~]{1,255})> \[(?:InternalId|Hostname)=", re.IGNORECASE
)
_AMAZON: Final = re.compile(
    r"250 Ok ([0-9a-f]{16}-[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}-[0-9]{6})", re.IGNORECASE
)
_AMAZON_HOST: Final = re.compile(r"email-smtp(?:-fips)?\.([a-z]{2}(?:-[a-z]+)+-[0-9]{1,2})\.amazonaws\.com")
_FIRST_REGION: Final = "us-east-1"  # the oldest region signs as "email"


def learned_id(reply: str, host: str) -> str | None:
    """The id without angle brackets that the mail has now, or None where ``reply`` tells of none.

    ``reply`` is the answer to the final dot with its code, ``host`` the name of the server that gave it."""
    line = reply[:_LONGEST_REPLY].strip()
    microsoft = _MICROSOFT.match(line)
    if microsoft is not None:
        return microsoft[1]
    region = _AMAZON_HOST.fullmatch(host.lower().rstrip("."))
    amazon = _AMAZON.match(line)
    if region is None or amazon is None:
        return None
    return f"{amazon[1]}@{'email' if region[1] == _FIRST_REGION else region[1]}.amazonses.com"
