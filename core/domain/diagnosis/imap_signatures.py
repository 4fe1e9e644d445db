"""What IMAP servers say, and what they mean by it (RFC 3501, RFC 5530, servers' own words). Pure data.

Three tables, read in this order: words that sharpen a response code, the response code alone, words alone.
"""

from __future__ import annotations

from core.domain.diagnosis.signature import Signature, sig

_BUSY = (
    "temporar|unavailable|try again|try later|internal|timed? ?out|back-?end|database|ldap|maintenance|overload|"
    "connect|network|socket|reachable|dns"
)
_SESSIONS = r"connection|session|simultaneous|concurrent|max_userip"
_IMAP_OFF = (
    r"\b(?:imap|pop/imap|imap4)\b.{0,60}\b(?:disabled|not enabled|switched off|turned off|not active)|"
    "not enabled for imap|yet to enable imap|enable (?:your account for )?imap|please enable imap|"
    "(?:disabled|blocked|turned off|switched off) (?:the )?(?:imap|pop)|imap is not allowed"
)
_ADMINISTRATOR = r"\b(?:domain|organi[sz]ation|administrator|admin|tenant)\b"
_CREDENTIALS = (
    "invalid credentials|"
    "(?:bad|wrong|incorrect|invalid|unknown) (?:e-?mail|user ?name|user|login|password|account|auth)|"
    "(?:login|authenticate|authentication|auth|sign-?in|logon) (?:has |was |is )?(?:failed|failure|failing|bad|"
    "incorrect|invalid|rejected|denied|refused|unsuccessful|error)|"
    r"(?:password|user ?name|credentials?) (?:\w+ ){0,3}?(?:incorrect|wrong|invalid|mismatch|not match|rejected|"
    "not accepted|did not)|failed to authenticate|check your password|could not log you in|"
    "(?:cannot|could not|unable to) (?:authenticate|log ?in)|login bad"
)
_NOT_THE_PASSWORD = rf"{_BUSY}|command|syntax|mechanism|disabled|not supported|not allowed|too many|limit|rate"

# The server's own words say more than its response code, or it has none.
SHARPENED: tuple[Signature, ...] = (
    # Providers whose words or codes mean something else than the same words elsewhere.
    sig("app_password_required", "authentication ?failed", unless=_BUSY, provider="icloud"),
    sig("folder_missing", "unknown mailbox|no such (?:mailbox|folder)", provider="google"),
    sig("mailbox_service_missing", "lookup failed", provider="google"),
    sig("mailbox_service_missing", r"^(?:\S{1,16} )?no lookup failed\W*$"),
    sig("bandwidth_quota", unless="storage|disk|mailbox full|mail storage", code="OVERQUOTA", provider="google"),
    sig("basic_auth_disabled", "mechanism (?:is |was )?not supported", provider="microsoft"),
    sig("mailbox_not_reachable", "authenticated but not connected", provider="microsoft"),
    sig("session_expired", "accesstokenexpired|access token (?:has )?expired", provider="microsoft"),
    sig("client_bug", "not valid in this state", provider="yahoo aol", transient=True),
    sig("session_expired", "logging out", provider="yahoo aol"),
    sig("server_unavailable", r"\bserver error\b", provider="microsoft yahoo aol"),
    # Any server. A folder's name may hold any words, so a missing folder is read first.
    sig(
        "folder_missing",
        r"(?:mailbox|folder) (?:does ?n[o']t|does not) exist\s?[:,]",
        unless="authenticationfailed|authorizationfailed",
    ),
    sig("bandwidth_quota", "bandwidth|command or .{0,20}limit|download limit|traffic limit"),
    sig("app_password_required", "app(?:lication)?[- ]?(?:specific)?[- ]?password", unless="disabled"),
    sig(
        "web_login_required",
        r"web ?browser|web ?login|log ?in via (?:the |your )?web|webalert|accounts\.google\.com/signin",
    ),
    sig("credentials_or_imap_disabled", r"(?:credentials|password|log ?in).{0,60}\bor\b.{0,30}\b(?:imap|pop)"),
    sig("imap_disabled", "yet to enable imap"),
    sig("imap_disabled_by_admin", _IMAP_OFF, _ADMINISTRATOR),
    sig("imap_disabled", _IMAP_OFF),
    sig(
        "basic_auth_disabled",
        r"basic auth\w*|plain(?:text)? auth\w* (?:is )?disabled for",
        "disabled|blocked|not supported",
    ),
    sig("mailbox_not_reachable", "authenticated but not connected|user is authenticated but"),
    sig(
        "too_many_connections",
        r"too many|maximum number|exceed|\blimit\b|lower the number",
        _SESSIONS,
        unless=r"\brate\b",
    ),
    sig(
        "auth_rate_limited",
        "too many|rate|exceed|throttl|repeated|blocked",
        r"\bauth\w*|log ?in|sign-?in|bad password",
        "attempt|rate|limit|too many|failures|failed log|try again",
        unless=_SESSIONS,
    ),
    sig("rate_limited", r"throttl|rate limit|backoff time|too many (?:commands|requests)|slow down|\bthrottled\b"),
    sig(
        "password_expired",
        (
            "password (?:has |is |was )?expired|expired password|must change (?:your |the )?password|"
            "password (?:must|needs to) be (?:changed|reset)|password change (?:is )?required"
        ),
    ),
    sig("password_changed", "password (?:has been |was |is |has )?changed"),
    sig("account_locked", r"(?:account|user|mailbox)\b.{0,30}\block(?:ed|out)", unless="unlock|mailbox is locked"),
    sig(
        "account_disabled",
        r"\b(?:account|user|login)\b.{0,40}\b(?:disabled|suspended|deactivated|deleted|blocked|closed)",
        unless=rf"imap|{_BUSY}",
    ),
    sig(
        "tls_required",
        (
            r"(?:clear|plain) ?text (?:auth|log|pass)\w*|"
            r"(?:ssl|tls|encrypt\w*|starttls).{0,30}(?:required|first|only)|"
            r"(?:requires?|must|issue|use).{0,20}\b(?:ssl|tls|starttls|encrypt\w*)"
        ),
        unless="log ?in via|certificate",
    ),
    sig("mailbox_locked", r"lock\b|locked", "mailbox|timeout|wait|folder", code="INUSE"),
    sig(
        "server_shutdown",
        "shutting down|shutdown|going down|restart(?:ing)? (?:the )?server|server (?:is )?restarting",
        unless="courier",
    ),
    sig("server_unavailable", "timed? ?out", "finishing log ?in|during log ?in|log ?in timeout"),
    sig("idle_timeout", r"inactiv|idle (?:for )?too long|\bidle\b.{0,20}time|autologout|auto ?log ?out"),
    sig("mailbox_moved", "moved to (?:an)?other (?:server|host)|has moved to|use server"),
    sig("operation_not_supported", "already exists", code="ALREADYEXISTS"),
    sig("client_bug", "not valid in this state|select a mailbox|no mailbox selected", transient=True),
)

# RFC 5530 and its kin: these beat any words but the ones above.
BY_CODE: tuple[Signature, ...] = (
    sig("server_unavailable", code="UNAVAILABLE"),
    sig("credentials_rejected", code="AUTHENTICATIONFAILED", unless="temporar|unavailable"),
    sig("server_unavailable", code="AUTHENTICATIONFAILED"),
    sig("not_authorized_for_mailbox", code="AUTHORIZATIONFAILED"),
    sig("password_expired", code="EXPIRED"),
    sig("tls_required", code="PRIVACYREQUIRED"),
    sig("contact_admin", code="CONTACTADMIN"),
    sig("folder_no_permission", code="NOPERM"),
    sig("mailbox_locked", code="INUSE"),
    sig("message_gone", code="EXPUNGEISSUED"),
    sig("mailbox_corrupt", code="CORRUPTION"),
    sig("server_error", code="SERVERBUG"),
    sig("client_bug", code="CLIENTBUG"),
    sig("operation_not_supported", code="CANNOT"),
    sig("rate_limited", code="LIMIT"),
    sig("rate_limited", code="THROTTLED"),
    sig("storage_quota", code="OVERQUOTA"),
    sig("operation_not_supported", code="ALREADYEXISTS"),
    sig("folder_missing", code="TRYCREATE", transient=True),
    sig("folder_missing", code="NONEXISTENT"),
    sig("bad_charset", code="BADCHARSET"),
    sig("mailbox_moved", code="REFERRAL"),
    sig("uidvalidity_changed", code="UIDVALIDITY"),
    sig("condstore_not_available", code="NOMODSEQ"),
    sig("web_login_required", code="WEBALERT"),
)

BY_WORDS: tuple[Signature, ...] = (
    sig("connection_reset", "connection (?:is |was |has been )?(?:broken|lost)|broken connection|lost connection"),
    sig(
        "session_expired",
        "session (?:has |is |was )?(?:expired|timed out|ended)|token (?:has )?expired|please log ?in again",
    ),
    sig("connection_closed_by_server", "courier|zimbra", "shutting down|terminating|closing"),
    sig(
        "connection_closed_by_server",
        (
            "terminating connection|connection (?:is |was |has been )?(?:now )?clos(?:ed|ing)|closing connection|"
            "disconnected by server"
        ),
    ),
    sig("session_expired", "logging out|logged out|goodbye"),
    sig("message_gone", "(?:messages?|uids?) (?:have|has|no longer|were|was).{0,30}(?:expunged|exist|removed|deleted)"),
    sig("storage_quota", "quota|disk (?:is )?full|out of (?:disk |mail )?(?:space|storage)|mailbox (?:is )?full"),
    sig("mailbox_locked", "(?:mailbox|folder) (?:is )?(?:currently )?(?:locked|in use|busy)|waiting for (?:a )?lock"),
    sig(
        "folder_missing",
        (
            r"(?:mailbox|folder|label)\b.{0,80}(?:does ?n[o']t exist|not exist|not found|non-?existent|unknown)|"
            "(?:unknown|no such|nonexistent|non-existent|invalid) (?:mailbox|folder|label)|"
            "unable to open (?:this|that|the) (?:mailbox|folder)|can'?t open (?:mailbox|folder)"
        ),
    ),
    sig("mailbox_corrupt", "corrupt|(?:index|mailbox|folder).{0,30}damaged"),
    sig("bad_charset", "charset"),
    sig("idle_timeout", r"^(?:\S{1,16} )?bye (?:time-?out|idle)|idle timeout|no activity"),
    sig(
        "server_unavailable",
        (
            r"server(?:\(s\)|s)? (?:is |are )?(?:temporarily |currently )?(?:too )?(?:unavailable|busy|down|"
            "overloaded)|service (?:is )?(?:temporarily |currently )?(?:unavailable|not available)|"
            r"temporar\w* (?:auth|fail|unavail|problem|error|system)|try again later|"
            "backend (?:error|unavailable|down)|please try again|(?:under|for|due to) maintenance|offline"
        ),
    ),
    sig(
        "server_error",
        ("system error|internal (?:server )?error|internal (?:failure|fault)|unexpected (?:server )?error|server bug"),
    ),
    sig(
        "folder_no_permission",
        "permission denied|access denied|no permission|not permitted|insufficient (?:rights|privileges)",
        unless="log ?in|authenticat",
    ),
    sig("not_authorized_for_mailbox", "not authori[sz]ed|authori[sz]ation failed"),
    sig(
        "client_bug",
        (
            "could not parse|error in imap command|unknown command|invalid (?:imap )?commands|syntax error|"
            "invalid (?:command|argument)|command (?:argument|syntax)|parse (?:command|error)|"
            "unrecogni[sz]ed command|bad command|missing (?:required )?argument|not enough arguments|"
            "too many arguments|unexpected tagged response|command unknown|protocol error"
        ),
    ),
    sig("operation_not_supported", "not supported|not implemented|unsupported", unless="authenticat|mechanism"),
    sig(
        "basic_auth_disabled",
        r"authenticat\w* mechanism|auth mechanism|log ?in (?:is )?disabled|logindisabled",
        "not supported|unsupported|disabled",
    ),
    sig("connection_closed_by_server", r"^(?:\S{1,16} )?bye\b.{0,40}\bdisconnect"),
    sig("credentials_rejected", _CREDENTIALS, unless=_NOT_THE_PASSWORD),
)

# Only what no row above could read.
ALERTS: tuple[Signature, ...] = (sig("server_alert", code="ALERT"),)
