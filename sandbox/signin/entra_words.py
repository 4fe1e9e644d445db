"""Entra's errors: their numbers, their sentences, and the JSON they travel in.

The numbers and names stand in Microsoft's reference of AADSTS error codes; the sentences are those of
answers that people have quoted.
"""

import json
import uuid
from dataclasses import dataclass
from datetime import UTC, datetime

from sandbox.signin.authorization import MistakeKind
from sandbox.signin.face import Refusal
from sandbox.signin.grants import Grant

EXCHANGE_ONLINE = "00000002-0000-0ff1-ce00-000000000000"
_CLAIMS = json.dumps({"access_token": {"capolids": {"essential": True, "values": [str(uuid.uuid4())]}}})


@dataclass(frozen=True, slots=True)
class EntraError:
    """One error: HTTP status of the token endpoint, OAuth error, AADSTS number, sentence, finer kind.

    Sentences hold {app} (client id), {name} (the app's), {subject} (what the request had wrong),
    {issued} and {ended} (times of the grant).
    """

    status: int
    error: str
    number: int
    text: str
    suberror: str = ""
    claims: str = ""

    def filled(self, **values: str) -> str:
        """The sentence, as "AADSTS…: …"."""
        text = self.text
        for name, value in values.items():
            text = text.replace(f"{{{name}}}", value)
        return f"AADSTS{self.number}: {text}"


DENIED = EntraError(400, "access_denied", 65004, "User declined to consent to access the app.")
NEEDS_ADMIN = EntraError(400, "access_denied", 90094, "The grant requires admin permission.")
UNKNOWN_ACCOUNT = EntraError(
    400,
    "invalid_grant",
    50034,
    "The user account does not exist in the directory. To sign into this application, the account must be added "
    "to the directory.",
)

_MISSING_SECRET = "The request body must contain the following parameter: 'client_assertion' or 'client_secret'."
_REVOKED = EntraError(
    400,
    "invalid_grant",
    50173,
    "The provided grant has expired due to it being revoked, a fresh auth token is needed. The user might have "
    "changed or reset their password. The grant was issued on '{issued}' and the TokensValidFrom date (before which "
    "tokens are not valid) for this user is '{ended}'.",
    "bad_token",
)

ENDED: dict[str, EntraError] = {
    "revoked": _REVOKED,
    "password_changed": _REVOKED,
    "expired": EntraError(
        400,
        "invalid_grant",
        700082,
        "The refresh token has expired due to inactivity. The token was issued on {issued} and was inactive for "
        "90.00:00:00.",
        "bad_token",
    ),
    "mfa": EntraError(
        400,
        "invalid_grant",
        50076,
        "Due to a configuration change made by your administrator, or because you moved to a new location, you must "
        f"use multi-factor authentication to access '{EXCHANGE_ONLINE}'.",
        "basic_action",
        _CLAIMS,
    ),
    "session_limit": EntraError(
        400,
        "invalid_grant",
        70043,
        "The refresh token has expired or is invalid due to sign-in frequency checks by conditional access. The token "
        "was issued on {issued} and the maximum allowed lifetime for this request is 43200.",
        "token_expired",
    ),
    "conditional_access": EntraError(
        400,
        "invalid_grant",
        53003,
        "Access has been blocked by Conditional Access policies. The access policy does not allow token issuance.",
        "message_only",
        _CLAIMS,
    ),
    "admin_consent": EntraError(
        400,
        "invalid_grant",
        65001,
        "The user or administrator has not consented to use the application with ID '{app}' named '{name}'. Send an "
        "interactive authorization request for this user and resource.",
        "consent_required",
    ),
    "account_disabled": EntraError(400, "invalid_grant", 50057, "The user account is disabled."),
}

REFUSALS: dict[Refusal, EntraError] = {
    "throttled": EntraError(
        429,
        "temporarily_unavailable",
        90055,
        "There are too many incoming requests. This exception is thrown for blocked tenants.",
    ),
    "missing": EntraError(
        400, "invalid_request", 900144, "The request body must contain the following parameter: '{subject}'."
    ),
    "repeated": EntraError(400, "invalid_request", 9000411, "The parameter '{subject}' is duplicated."),
    "grant_type": EntraError(
        400, "unsupported_grant_type", 70003, "The app requested an unsupported grant type '{subject}'."
    ),
    "app": EntraError(
        400,
        "unauthorized_client",
        700016,
        "Application with identifier '{subject}' was not found in the directory. This can happen if the application "
        "has not been installed by the administrator of the tenant or consented to by any user in the tenant. You may "
        "have sent your authentication request to the wrong tenant.",
    ),
    "no_secret": EntraError(401, "invalid_client", 7000218, _MISSING_SECRET),
    "secret_wrong": EntraError(
        401,
        "invalid_client",
        7000215,
        "Invalid client secret provided. Ensure the secret being sent in the request is the client secret value, not "
        "the client secret ID, for a secret added to app '{app}'.",
    ),
    "secret_expired": EntraError(
        401,
        "invalid_client",
        7000222,
        "The provided client secret keys for app '{app}' are expired. Visit the Azure portal to create new keys for "
        "your app: https://aka.ms/NewClientSecret, or consider using certificate credentials for added security: "
        "https://aka.ms/certCreds.",
    ),
    "code_unknown": EntraError(400, "invalid_grant", 9002313, "Invalid request. Request is malformed or invalid."),
    "code_used": EntraError(
        400,
        "invalid_grant",
        54005,
        "OAuth2 Authorization code was already redeemed, please retry with a new valid code or use an existing "
        "refresh token.",
    ),
    "code_expired": EntraError(
        400,
        "invalid_grant",
        70008,
        "The provided authorization code or refresh token has expired due to inactivity. Send a new interactive "
        "authorization request for this user and resource.",
    ),
    "code_redirect": EntraError(
        400,
        "invalid_grant",
        500112,
        "The reply address does not match the reply address provided when requesting Authorization code.",
    ),
    "code_no_verifier": EntraError(
        400,
        "invalid_grant",
        50148,
        "The code_verifier does not match the code_challenge supplied in the authorization request for PKCE.",
    ),
    "code_verifier": EntraError(
        400,
        "invalid_grant",
        501481,
        "The Code_Verifier does not match the code_challenge supplied in the authorization request.",
    ),
    "refresh_token": EntraError(
        400,
        "invalid_grant",
        70000,
        "The provided value for the input parameter 'refresh_token' or 'assertion' is not valid.",
    ),
}

MISTAKES: dict[MistakeKind, EntraError] = {
    "client": REFUSALS["app"],
    "redirect": EntraError(
        400,
        "invalid_request",
        50011,
        "The redirect URI '{subject}' specified in the request does not match the redirect URIs configured for the "
        "application '{app}'. Make sure the redirect URI sent in the request matches one added to your application in "
        "the Azure portal. Navigate to https://aka.ms/redirectUriMismatchError to learn more about how to "
        "troubleshoot this error.",
    ),
    "missing": REFUSALS["missing"],
    "repeated": REFUSALS["repeated"],
    "response_type": EntraError(
        400, "unsupported_response_type", 700054, "response_type '{subject}' is not enabled for the application."
    ),
    "response_mode": EntraError(
        400, "invalid_request", 70007, "'{subject}' is not a supported value of 'response_mode' when requesting a code."
    ),
    "challenge": EntraError(400, "invalid_request", 50149, "Invalid Code_Challenge_method parameter '{subject}'."),
}


def stamped(sentence: str, correlation_id: str) -> dict[str, str]:
    """The sentence with the marks that Entra puts behind it, and the marks by themselves."""
    stamp = datetime.now(UTC).strftime("%Y-%m-%d %H:%M:%SZ")
    trace = str(uuid.uuid4())
    return {
        "error_description": f"{sentence} Trace ID: {trace} Correlation ID: {correlation_id} Timestamp: {stamp}",
        "timestamp": stamp,
        "trace_id": trace,
        "correlation_id": correlation_id,
    }


def times_of(grant: Grant) -> dict[str, str]:
    """When a grant was given and taken back, as Entra writes times."""
    ended = grant.ended_at or datetime.now(UTC)
    return {"issued": _long(grant.issued_at), "ended": _long(ended)}


def _long(when: datetime) -> str:
    """Seven digits of the second, as .NET prints times."""
    return when.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%f0Z")
