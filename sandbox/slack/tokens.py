"""The tokens of the installed app, their scopes, and what became of them."""

import secrets
from dataclasses import dataclass, field

from sandbox.slack.config import AppConfig


@dataclass
class Tokens:
    """Bot token, app-level token, signing secret and client credentials of one installation.

    ``state`` is None while the tokens work, else the error Slack answers every call with:
    ``token_revoked``, ``account_inactive`` or ``invalid_auth``.
    """

    bot: str
    app: str
    signing_secret: str
    client_id: str
    client_secret: str
    scopes: set[str]
    state: str | None = None
    _codes: dict[str, str] = field(default_factory=dict)

    @classmethod
    def issue(cls, app: AppConfig) -> "Tokens":
        """Return fresh tokens with the scopes of the manifest."""
        digits = f"{secrets.randbelow(10**12):012d}"
        return cls(
            bot=f"xoxb-sandbox-{digits}-{secrets.token_hex(12)}",
            app=f"xapp-1-{app.app_id}-{digits}-{secrets.token_hex(32)}",
            signing_secret=secrets.token_hex(16),
            client_id=f"{digits}.{digits[::-1]}",
            client_secret=secrets.token_hex(16),
            scopes=set(app.scopes),
        )

    def new_code(self, redirect_uri: str) -> str:
        """Return a one-time OAuth code bound to the address it is sent to."""
        code = f"{secrets.randbelow(10**12)}.{secrets.token_hex(24)}"
        self._codes[code] = redirect_uri
        return code

    def spend_code(self, code: str, redirect_uri: str | None) -> str | None:
        """Spend a code; the answer is Slack's error name, None if the code was good."""
        issued_for = self._codes.pop(code, None)
        if issued_for is None:
            return "invalid_code"
        return "bad_redirect_uri" if redirect_uri and redirect_uri != issued_for else None
