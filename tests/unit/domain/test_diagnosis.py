"""What a diagnosis promises: whose words are read first, what stays unknown, and that every cause has a fix."""

from __future__ import annotations

import base64
import json
import re

import pytest

from core.domain.diagnosis import CAUSES, UNKNOWN, CauseClass, Failure, Who, diagnose

GMAIL, OUTLOOK, OTHER = "imap.gmail.com", "outlook.office365.com", "mail.agency.test"
_PASSWORD_CAUSES = {
    "credentials_rejected",
    "password_changed",
    "password_expired",
    "app_password_required",
    "credentials_or_imap_disabled",
}

# The first column of the table of classes with the causes the product must tell apart.
_CLASSES = {
    "silent": "session_expired idle_timeout connection_closed_by_server server_shutdown message_gone "
    "condstore_not_available uidvalidity_changed all_mail_hidden idle_deaf",
    "wait": "mailbox_not_reachable sender_domain_dns server_unavailable server_error connection_reset connect_timeout "
    "read_timeout dns_temporary_failure mailbox_locked network_unreachable connection_refused no_sign_of_life",
    "slow down": "rate_limited too_many_connections auth_rate_limited bandwidth_quota recipient_rate_limited "
    "oauth_rate_limited greylisted delivery_delayed",
    "pause sending": "relay_denied not_authenticated ip_no_ptr sending_quota sender_blocked sender_not_allowed "
    "sender_mailbox_full sender_unauthenticated dmarc_fail ip_reputation sender_reputation",
    "user reconnects": "credentials_rejected wrong_tenant wrong_account_type account_not_found auth_code_expired "
    "auth_code_reused embedded_browser_blocked oauth_token_rejected refresh_token_revoked refresh_token_expired "
    "password_changed password_expired mfa_required web_login_required app_password_required basic_auth_disabled "
    "consent_missing user_denied_consent oauth_scope_missing sign_in_frequency reauth_required_by_policy "
    "credentials_missing",
    "mailbox switch": "imap_disabled credentials_or_imap_disabled silent_break",
    "tenant admin": "imap_disabled_by_admin mailbox_service_missing smtp_auth_disabled conditional_access_blocked "
    "admin_consent_required license_missing account_disabled account_locked user_not_assigned "
    "not_authorized_for_mailbox contact_admin tenant_not_found server_alert folder_renumbers no_inbox",
    "our app": "oauth_client_secret_expired oauth_client_secret_invalid oauth_client_invalid oauth_client_disabled "
    "oauth_client_deleted redirect_uri_mismatch oauth_config_error process_fd_limit proxy_auth_required "
    "credentials_sealed",
    "settings": "tls_cert_untrusted tls_cert_expired tls_hostname_mismatch tls_wrong_port tls_version_unsupported "
    "tls_handshake_failed dns_name_unknown dns_no_record wrong_server mailbox_moved tls_required",
    "one folder": "folder_missing folder_no_permission mailbox_corrupt storage_quota",
    "our bug": "client_bug bad_charset message_malformed operation_not_supported",
    "recipient": "recipient_unknown recipient_disabled recipient_domain_unknown recipient_syntax "
    "recipient_mailbox_full recipient_rejects_sender delivery_expired routing_loop",
    "content": "content_rejected attachment_blocked message_too_large too_many_recipients",
}


def _cause(layer: str, raw: str, host: str = OTHER) -> str:
    return diagnose(Failure(layer, raw, host)).cause


def test_every_cause_stands_in_its_class() -> None:
    """The table of causes is complete and files each under the right behaviour."""
    filed = {cause: known.klass.value for cause, known in CAUSES.items()}
    assert filed == {cause: klass for klass, causes in _CLASSES.items() for cause in causes.split()}


@pytest.mark.parametrize("cause", sorted(CAUSES))
def test_every_cause_has_a_title_and_a_fix_a_person_can_follow(cause: str) -> None:
    """One or two sentences: what happened, why, what to press (R207)."""
    known = CAUSES[cause]
    assert 5 < len(known.title) <= 60
    assert not known.title.endswith(".")
    for fix in (known.fix, *known.fix_by_provider.values()):
        sentences = re.findall(r"[^.!?]+[.!?](?:\s|$)", fix)
        assert 1 <= len(sentences) <= 3, fix
        assert 40 < len(fix) < 330, fix
        assert fix[0].isupper()


@pytest.mark.parametrize(
    "cause", sorted(cause for cause, known in CAUSES.items() if known.klass is CauseClass.TENANT_ADMIN)
)
def test_what_an_admin_must_mend_comes_with_text_to_forward(cause: str) -> None:
    """The recruiter sends on words the administrator can act upon."""
    assert CAUSES[cause].forward
    assert CAUSES[cause].mended_by() is Who.MAIL_ADMIN


@pytest.mark.parametrize(
    ("cause", "who"),
    [
        ("session_expired", Who.NOBODY),
        ("credentials_rejected", Who.RECRUITER),
        ("tls_cert_expired", Who.MAIL_ADMIN),
        ("redirect_uri_mismatch", Who.OPERATOR),
        ("client_bug", Who.VENDOR),
    ],
)
def test_each_cause_names_who_can_mend_it(cause: str, who: Who) -> None:
    """Nobody is sent to the wrong person."""
    assert CAUSES[cause].mended_by() is who


@pytest.mark.parametrize(
    ("layer", "raw", "cause"),
    [
        ("tls", "certificate verify failed: certificate has expired", "tls_cert_expired"),
        ("tls", "Hostname mismatch, certificate is not valid for 'imap.gmail.com'", "tls_hostname_mismatch"),
        ("dns", "The DNS query name does not exist: imap.gmail.com.", "dns_name_unknown"),
    ],
)
def test_nobody_is_asked_to_correct_googles_server_or_to_renew_its_certificate(
    layer: str, raw: str, cause: str
) -> None:
    """What goes wrong there goes wrong on the way: that is the operator's."""
    at_google, elsewhere = diagnose(Failure(layer, raw, GMAIL)), diagnose(Failure(layer, raw, OTHER))
    assert at_google.cause == elsewhere.cause == cause
    assert (at_google.who, at_google.forward) == ("operator", None)
    assert "Rethread and Google" in at_google.fix or "the name service that Rethread asks" in at_google.fix
    assert elsewhere.who != "operator"


def test_the_providers_own_rows_come_first() -> None:
    """The same code means different things at different providers, and the login host tells which."""
    assert _cause("smtp", "550 5.7.30 refused", "smtp.office365.com") == "basic_auth_disabled"
    assert _cause("smtp", "550 5.7.30 refused", "smtp.gmail.com") == "sender_unauthenticated"
    assert _cause("imap", "a NO [OVERQUOTA] limit reached", GMAIL) == "bandwidth_quota"
    assert _cause("imap", "a NO [OVERQUOTA] limit reached") == "storage_quota"
    assert (
        _cause("imap", "a NO [AUTHENTICATIONFAILED] Authentication failed", "imap.mail.me.com")
        == "app_password_required"
    )
    assert _cause("imap", "a NO [AUTHENTICATIONFAILED] Authentication failed") == "credentials_rejected"


def test_a_named_provider_wins_over_the_host() -> None:
    """A caller who knows the provider of a private host name says so."""
    failure = Failure("imap", "a NO [OVERQUOTA] limit reached", OTHER)
    assert diagnose(failure, provider="google").cause == "bandwidth_quota"


def test_a_reply_that_carries_its_makers_mark_needs_no_host() -> None:
    """A bounce is read by who speaks in it."""
    assert diagnose(Failure("smtp", "550 5.7.30 refused x9 - gsmtp")).provider == "google"
    assert diagnose(Failure("smtp", "550 5.7.30 no [AM0PR01CA0001.eurprd01.prod.outlook.com]")).provider == "microsoft"


def test_a_response_code_beats_free_text() -> None:
    """A server that cannot check passwords must not send anybody to change theirs (RFC 5530)."""
    assert _cause("imap", "a NO [UNAVAILABLE] Authentication failed") == "server_unavailable"
    assert _cause("imap", "a NO [EXPIRED] Invalid credentials") == "password_expired"
    assert _cause("imap", "a NO [NONEXISTENT] Mailbox: Login failed") == "folder_missing"


def test_an_alert_only_says_that_a_person_must_read_the_text() -> None:
    """ALERT gives way to words that are known, and shows those that are not."""
    assert _cause("imap", "a NO [ALERT] Invalid credentials (Failure)") == "credentials_rejected"
    assert _cause("imap", "a NO [ALERT] The blue folder is being painted") == "server_alert"


def test_entras_numbers_beat_its_words() -> None:
    """Microsoft changes the sentences, never the numbers."""
    answer = {
        "error": "invalid_grant",
        "error_codes": [50173],
        "error_description": "AADSTS50173: your password expired",
    }
    assert _cause("oauth", json.dumps(answer)) == "refresh_token_revoked"
    assert _cause("oauth", "invalid_client: AADSTS7000222: some words") == "oauth_client_secret_expired"
    assert _cause("oauth", '{"error":"invalid_grant","suberror":"user_password_expired"}') == "password_expired"


@pytest.mark.parametrize(
    ("number", "words", "cause"),
    [
        (50087, "A transient error has occurred during strong authentication. Please try again.", "server_unavailable"),
        (50088, "Limit on telecom MFA calls reached. Please try again in a few minutes.", "oauth_rate_limited"),
    ],
)
def test_what_entra_says_passes_by_itself_takes_nobody_to_a_new_sign_in(number: int, words: str, cause: str) -> None:
    """Microsoft's table of AADSTS numbers calls these passing troubles; they come as invalid_grant all the same."""
    for answer in (
        {"error": "invalid_grant", "error_codes": [number], "error_description": f"AADSTS{number}: {words}"},
        {"error": "invalid_grant", "error_description": f"AADSTS{number}"},
    ):
        verdict = diagnose(Failure("oauth", json.dumps(answer), "login.microsoftonline.com"))
        assert (verdict.cause, verdict.transient) == (cause, True)


@pytest.mark.parametrize("prefix", ["+ ", "334 ", ""])
def test_a_token_challenge_is_decoded(prefix: str) -> None:
    """Google and Microsoft explain a refused token only in base64."""
    challenge = {"status": "401", "schemes": "bearer", "scope": "https://mail.google.com/"}
    coded = base64.b64encode(json.dumps(challenge).encode()).decode()
    assert _cause("imap", prefix + coded, GMAIL) == "oauth_token_rejected"
    assert _cause("smtp", prefix + coded, "smtp.gmail.com") == "oauth_token_rejected"


def test_base64_that_is_no_challenge_says_nothing() -> None:
    """A token's own header or plain noise is not an answer to a token."""
    header = base64.b64encode(b'{"alg":"RS256","typ":"JWT"}').decode()
    assert _cause("imap", f"+ {header}") == UNKNOWN


@pytest.mark.parametrize(
    ("layer", "raw", "klass", "transient"),
    [
        ("imap", "a BAD flibbertigibbet", "our bug", False),
        ("imap", "a NO flibbertigibbet", "wait", True),
        ("smtp", "451 flibbertigibbet", "wait", True),
        ("smtp", "535 flibbertigibbet", "tenant admin", False),
        ("smtp", "550 flibbertigibbet", "recipient", False),
        ("oauth", "flibbertigibbet", "wait", True),
        ("socket", "", "wait", True),
        ("telepathy", "flibbertigibbet", "wait", True),
    ],
)
def test_unknown_words_stay_unknown_and_are_judged_by_reply_code_alone(
    layer: str, raw: str, klass: str, transient: bool
) -> None:
    """What nobody has met before is shown as it came, and never becomes a wrong password."""
    verdict = diagnose(Failure(layer, raw, OTHER))
    assert (verdict.cause, verdict.klass, verdict.transient, verdict.raw) == (UNKNOWN, klass, transient, raw)
    assert verdict.fix


@pytest.mark.parametrize("layer", ["tls", "dns", "socket"])
@pytest.mark.parametrize(
    "raw", ["authentication failed", "Invalid credentials", "535 5.7.8 Username and Password not accepted"]
)
def test_a_network_fault_never_becomes_a_wrong_password(layer: str, raw: str) -> None:
    """Where no server spoke, nobody refused a password."""
    assert _cause(layer, raw) not in _PASSWORD_CAUSES


@pytest.mark.parametrize(
    "raw",
    [
        "[Errno 111] Connect call failed ('127.0.0.1', 993)",
        "Connection reset by peer while authenticating",
        "timed out during login",
        "a NO LOGIN failed: connection to the password database lost",
        "a NO Temporary authentication failure",
    ],
)
def test_a_fault_during_login_is_no_wrong_password(raw: str) -> None:
    """The old mistake of the field: every failure at login called a bad password."""
    assert _cause("imap", raw) not in _PASSWORD_CAUSES


def test_the_fix_speaks_of_the_provider() -> None:
    """Gmail's switch is elsewhere than Zoho's."""
    switched_off = "a NO [ALERT] Your account is not enabled for IMAP use"
    assert "Gmail" in diagnose(Failure("imap", switched_off, GMAIL)).fix
    assert "Zoho" in diagnose(Failure("imap", switched_off, "imap.zoho.com")).fix
    assert "ask the admin to allow IMAP" in diagnose(Failure("imap", "a NO AUTHENTICATE failed.", OUTLOOK)).fix


@pytest.mark.parametrize(
    ("raw", "old", "today"),
    [
        ("[ALERT] Please log in via your web browser", "less secure apps", "app password"),
        ("[AUTHENTICATION FAILED] Invalid credentials (Failure)", "DisplayUnlockCaptcha", "Reconnect"),
        ("[CLOSED] IMAP connection broken (Authenticate)", "DisplayUnlockCaptcha", "Reconnect"),
    ],
)
def test_obsolete_advice_stands_beside_todays_remedy(raw: str, old: str, today: str) -> None:
    """People find old guides: both are named, and which one still works (R68, R71, R226)."""
    obsolete = diagnose(Failure("imap", raw, GMAIL)).obsolete
    assert obsolete
    assert old in obsolete
    assert today in obsolete


def test_the_pause_a_server_asks_for_is_read() -> None:
    """Throttling replies name a time; it beats our own guess."""
    throttled = diagnose(
        Failure("imap", "a BAD Request is throttled. Suggested Backoff Time: 92415 milliseconds", OUTLOOK)
    )
    assert throttled.retry_after_s == pytest.approx(92.415)
    quota = "550 User has exceeded its 24-hour sending limit. Relay quota will reset in 1.5 hours."
    assert diagnose(Failure("smtp", quota)).retry_after_s == pytest.approx(5400)
    assert diagnose(Failure("oauth", "HTTP 429 Too Many Requests, Retry-After: 120")).retry_after_s == 120
    assert diagnose(Failure("imap", "a NO Invalid credentials")).retry_after_s is None


@pytest.mark.parametrize(
    ("raw", "cause"),
    [
        ("TimeoutError: no sign of life for 1080 s", "no_sign_of_life"),
        ("check mail of 2026-11-22T09:30:00Z did not arrive within 20 minutes", "silent_break"),
        ("All Mail is not shown to IMAP programs", "all_mail_hidden"),
        ("mail arrived of which the server did not tell in IDLE", "idle_deaf"),
        ("UIDVALIDITY of INBOX/Jobs changed 5 times in a row", "folder_renumbers"),
        ("the server lists no INBOX", "no_inbox"),
        ("The secret is sealed with the key 0af3, which is not among the keys given.", "credentials_sealed"),
        ("The stored credentials do not open: they were changed, or belong to another row.", "credentials_sealed"),
        ("No credentials are stored for this mailbox.", "credentials_missing"),
    ],
)
def test_what_rethread_finds_out_itself_has_causes_of_its_own(raw: str, cause: str) -> None:
    """Nobody's server said it, so no server's wording is looked for (R4)."""
    assert _cause("imap", raw) == cause
