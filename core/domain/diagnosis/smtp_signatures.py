"""What submission and receiving servers say (RFC 5321, RFC 3463, RFC 4954, providers' own codes). Pure data.

The order matters: words that name a cause come before the enhanced status code, the bare reply code comes last.
"""

from __future__ import annotations

from core.domain.diagnosis.signature import Signature, sig

_BUSY = (
    "temporar|unavailable|busy|try again|try later|later|internal|timed? ?out|back-?end|database|ldap|maintenance|"
    "overload|connect|network|socket|reachable|dns"
)
_TOO_MANY = r"too many|maximum|exceed|limit|lower the number|reduce the number"
_CREDENTIALS = (
    "(?:user ?name|password|credentials?|login|account).{0,40}(?:not accepted|incorrect|invalid|wrong|rejected|bad|"
    "failed|mismatch|not match)|"
    "(?:invalid|incorrect|bad|wrong|unknown) (?:user ?name|user|login|password|credentials?|authentication)|"
    r"auth\w* (?:\w+ ){0,2}?(?:failed|failure|unsuccessful|rejected|denied|invalid|incorrect|error)|"
    r"(?:login|logon|sign-?in) (?:\w+ )?(?:failed|denied|refused|rejected|incorrect)|failed to authenticate|"
    "could not (?:authenticate|log ?in)|unable to (?:authenticate|log ?in)"
)
_NOT_THE_PASSWORD = (
    rf"{_BUSY}|disabled|not allowed|not supported|mechanism|policy|locked|sender|recipient|spam|rate|limit"
)

_ACCESS: tuple[Signature, ...] = (
    sig("basic_auth_disabled", status=r"5\.7\.30", provider="microsoft"),
    sig("sender_unauthenticated", status=r"5\.7\.30", provider="google"),
    sig(
        "smtp_auth_disabled",
        r"smtpclientauth\w* is disabled|smtp_auth_disabled|smtp auth\w* (?:is )?(?:disabled|off)",
    ),
    sig("basic_auth_disabled", r"basic auth\w*", "disabled|not supported|no longer|blocked|deprecat"),
    sig(
        "smtp_auth_disabled",
        r"\bauth\w*\b",
        "disabled for (?:the |this |your )?(?:tenant|mailbox|organi[sz]ation|user)",
    ),
    sig("conditional_access_blocked", "conditional access|security defaults"),
    sig("account_locked", "account (?:is |has been |was )?(?:temporarily )?locked|user (?:is )?locked"),
    sig("app_password_required", "app(?:lication)?[- ]?(?:specific)?[- ]?password", unless="disabled"),
    sig("web_login_required", "web ?browser|webloginrequired|log ?in via (?:the |your )?web", unless=r"\bspam\b"),
    sig(
        "tls_required",
        r"starttls|(?:tls|ssl|encrypt\w*).{0,30}(?:required|first|needed|necessary)|must .{0,20}(?:tls|ssl)",
        reply=r"|4\d\d|5\d\d",
        unless="not (?:supported|available)|extension",
    ),
    sig("tls_wrong_port", "starttls", "not (?:supported|available|offered)|extension"),
    sig(
        "wrong_server",
        r"auth\w*|login|log in",
        "not allowed on|not permitted on|not available on|wrong server|incorrect server",
    ),
    sig(
        "sender_domain_dns",
        "sender address rejected|sender domain|from domain|domain of sender",
        (
            "domain not found|does not resolve|not resolve|no (?:mx|a|dns) record|dns (?:error|lookup)|not exist|"
            "nxdomain"
        ),
    ),
    sig(
        "auth_rate_limited",
        (
            r"too many (?:bad |failed |wrong |invalid |recent )?(?:auth|log ?in|sign-?in|password)\w*|"
            r"(?:auth\w*|log ?in|sign-?in) (?:rate|attempts?) .{0,20}(?:limit|exceed|many)|rate limit.{0,20}\bauth"
        ),
    ),
    sig("server_unavailable", r"auth\w*|log ?in|sign-?in|password", _BUSY, reply=r"4\d\d|535", unless="too many|rate"),
    sig("credentials_rejected", status=r"5\.7\.3", provider="microsoft"),
    sig("not_authenticated", status=r"5\.7\.57"),
    sig(
        "not_authenticated",
        (
            "not authenticated|authentication (?:is )?required|must (?:authenticate|log ?in)|authenticate first|"
            "auth required|please log ?in|login required|need(?:s)? to authenticate"
        ),
        unless=(
            "sender (?:was )?not|for group|by organi[sz]ation|spf|dkim|dmarc|tenant|requires all senders|rate limited"
        ),
    ),
    sig(
        "account_disabled",
        r"\b(?:account|user|mailbox)\b.{0,30}\b(?:disabled|suspended|deactivated|blocked)",
        reply="535",
    ),
)

_PROOF: tuple[Signature, ...] = (
    sig("dmarc_fail", r"\bdmarc\b", unless="requires all senders"),
    sig("sender_unauthenticated", r"\b(?:spf|dkim|sender policy framework)\b", unless="spam policy"),
    sig(
        "sender_unauthenticated",
        "sender is unauthenticated|because it is unauthenticated|unauthenticated (?:e-?mail|mail|sender)",
    ),
    sig("sender_unauthenticated", status=r"[45]\.7\.(?:20|21|22|23|24|26|27|515)"),
    sig("dmarc_fail", status=r"5\.7\.509"),
    sig("ip_no_ptr", r"\bptr\b|reverse dns|\brdns\b|reverse (?:host ?name|lookup)|reverse-dns"),
    sig("ip_no_ptr", status=r"[45]\.7\.25"),
)

_OURSELVES: tuple[Signature, ...] = (
    sig("sender_mailbox_full", "sender throttled", "mailbox ?full"),
    sig("sender_mailbox_full", status=r"5\.2\.251"),
    sig("license_missing", "licen[cs]e"),
    sig("license_missing", status=r"5\.2\.253"),
    sig("recipient_unknown", "sender throttled", "invalid recipient"),
    sig("recipient_unknown", status=r"5\.2\.255"),
    sig(
        "sender_not_allowed",
        (
            "sendasdenied|not allowed to send (?:as|on behalf)|send-?as|not one of your address|"
            "(?:from|sender) address.{0,60}(?:not owned|not yours|not allowed|not permitted|not verified|"
            "does not (?:match|belong))|relaying disallowed as|unregistered domain|not owned by (?:user|auth)"
        ),
    ),
    sig("sender_not_allowed", status=r"5\.7\.750|5\.2\.252|5\.7\.60"),
    sig(
        "sending_quota",
        (
            "submission quota|sending (?:limit|quota)|sending activity|daily (?:limit|quota|user|message|sending)|"
            "(?:24|twenty.four)[- ]?hour.{0,30}limit|relay quota|messages? (?:per|a) day|hourly .{0,20}limit|"
            "(?:hour|day)ly (?:limit|quota)|reached your (?:limit|quota)|"
            "outgoing (?:mail|message).{0,30}(?:limit|quota)"
        ),
        unless=r"\bip address\b",
    ),
    sig("sending_quota", status=r"5\.4\.5|5\.1\.90", unless=r"\brout|\bloop\b"),
    sig("sending_quota", status=r"5\.4\.6", provider="zoho"),
    sig("sending_quota", status=r"5\.2\.12[12]"),
    sig(
        "sender_blocked",
        (
            "outbound ?spam|bad outbound sender|mail sending denied|spam abuse|verdict is suspend|"
            "(?:account|user|sender|mailbox).{0,40}(?:blocked|banned|suspended|disabled).{0,20}(?:from |for )?send|"
            "traffic not accepted from this ip|sending (?:has been |is )?(?:denied|blocked|suspended)"
        ),
    ),
    sig("sender_blocked", status=r"5\.1\.8|5\.7\.50[123]|5\.7\.70[458]"),
    sig(
        "relay_denied",
        (
            "rcpthosts|relay(?:ing)?.{0,20}(?:denied|not (?:permitted|allowed)|prohibited|refused|disallowed)|"
            "(?:denied|unable|not (?:permitted|allowed)) to relay|we do not relay|no relay|relay access"
        ),
    ),
)

_PACE: tuple[Signature, ...] = (
    sig("greylisted", "gr[ea]y-?list|postgrey"),
    sig(
        "recipient_rate_limited",
        (
            "recipient thread limit|"
            "(?:user|recipient|mailbox|account).{0,50}(?:receiving|received|getting).{0,30}(?:too quickly|"
            "too (?:much|many)|rate)|receiving mail (?:too|at a rate)"
        ),
    ),
    sig("recipient_rate_limited", status=r"[45]\.2\.1", reply=r"4\d\d"),
    sig(
        "too_many_recipients",
        "too many recipients|number of recipients|recipients (?:limit|exceed)|maximum recipients",
        unless="daily|hour|messages to",
    ),
    sig("too_many_connections", _TOO_MANY, r"concurrent connection|connection|sessions?\b", unless="messages"),
    sig(
        "ip_reputation",
        r"\bip\b",
        "reputation|blacklist|blocklist|block list|listed (?:at|in|on|by)|spamhaus|barracuda",
        reply=r"4\d\d",
        transient=True,
    ),
    sig("ip_reputation", "tss(?:09|11)|permanently deferred", transient=False),
    sig(
        "rate_limited",
        (
            "tss04|unusual rate|temporarily deferred|thread limit|rate.?limit|"
            "too (?:many|much) (?:messages|mails?|e-?mails?)|sent too many|sending too (?:fast|quickly)|throttl|"
            "slow down|slower|message rate"
        ),
        unless="reputation|mail data",
    ),
    sig("server_unavailable", reply="454", status=r"4\.7\.0", unless="too many|rate"),
    sig("rate_limited", status=r"4\.7\.(?:28|500)|4\.7\.0", unless="auth|log ?in|grey|reputation"),
    sig("ip_reputation", status=r"4\.7\.6\d\d", transient=True),
)

_CONTENT: tuple[Signature, ...] = (
    sig("sender_reputation", "reputation", r"\bdomain\b"),
    sig(
        "ip_reputation",
        (
            r"reputation|blacklist|blocklist|block list|\b(?:sbl|xbl|pbl|rbl|dnsbl)\b|spamhaus|barracudacentral|"
            r"\bip (?:address)?.{0,30}blocked"
        ),
        transient=False,
    ),
    sig("ip_reputation", status=r"5\.7\.(?:511|6[0-4]\d)", transient=False),
    sig(
        "message_malformed",
        (
            "malformed|not rfc|rfc ?5322|rfc ?2822|duplicate header|multiple from|missing (?:a )?valid|bare lf|"
            "bare newline|invalid header"
        ),
        unless="response|reply",
    ),
    sig(
        "attachment_blocked",
        (
            "potential security issue|attachment.{0,60}(?:blocked|not allowed|forbidden|prohibited|rejected)|"
            "(?:blocked|forbidden|banned|executable) (?:attachment|file)|virus|malware"
        ),
    ),
    sig(
        "message_too_large",
        (
            "message.{0,60}(?:too (?:large|big)|size limit|exceeds? .{0,30}(?:size|limit))|size limit|"
            "(?:too (?:large|big)) .{0,20}message|message (?:length|size) exceeds|maximum (?:message )?size|"
            "too much mail data"
        ),
    ),
    sig("message_too_large", status=r"5\.3\.4|5\.2\.3", reply=r"5\d\d|4\d\d"),
    sig(
        "content_rejected",
        (
            r"unsolicited|\bspam\b|suspicious|cs01|content (?:rejected|judged|was)|local policy|content policy|"
            "policy violation|policy reasons|junk mail|bulk mail|looks like"
        ),
    ),
)

_RECIPIENT: tuple[Signature, ...] = (
    sig("routing_loop", "routing loop|mail loop|loop detected|too many hops|hop count|loops back"),
    sig("routing_loop", status=r"5\.4\.14|[45]\.4\.6"),
    sig(
        "delivery_expired",
        (
            "(?:message|delivery|mail).{0,30}expired|could not be delivered for|retry time(?:out| not)|"
            "delivery time expired|giving up"
        ),
    ),
    sig("delivery_expired", status=r"[45]\.4\.7|5\.4\.300"),
    sig(
        "recipient_mailbox_full",
        (
            "out of storage|over ?quota|mailbox (?:is )?full|mailbox .{0,40}(?:quota|full)|inbox is full|"
            "quota exceeded|exceeded .{0,20}quota|insufficient (?:disk|storage)|storage space|not enough space"
        ),
        reply=r"4\d\d",
        transient=True,
    ),
    sig(
        "recipient_mailbox_full",
        (
            "out of storage|over ?quota|mailbox (?:is )?full|mailbox .{0,40}(?:quota|full)|inbox is full|"
            "quota exceeded|exceeded .{0,20}quota|insufficient (?:disk|storage)|storage space|not enough space"
        ),
    ),
    sig(
        "recipient_rejects_sender",
        (
            "not authenticated by organi[sz]ation|sender was not authenticated|internal senders only|"
            "delivery not authori[sz]ed|restricted (?:to|from)|not allowed to (?:send|post) to|"
            "does not accept mail from|recipient (?:has )?(?:blocked|rejects|refuses)|you are not allowed to send|"
            "message refused|rejectedby(?:recipient|rule)|only accepts? (?:mail|messages) from|"
            "blocked by (?:the )?recipient"
        ),
    ),
    sig(
        "recipient_syntax",
        (
            "not a valid rfc|(?:bad|invalid|malformed|illegal) (?:recipient )?(?:address|mailbox) (?:syntax|format)|"
            "address syntax|syntax error in .{0,20}address|"
            "(?:recipient|address).{0,30}(?:not a valid|invalid syntax)"
        ),
    ),
    sig("recipient_syntax", status=r"5\.1\.3"),
    sig(
        "recipient_domain_unknown",
        (
            "unable to route|no (?:such )?(?:domain|route to host)|"
            "(?:domain|host) (?:name )?(?:was |is )?(?:not found|unknown|does not exist|does not accept)|"
            "unrouteable|unroutable|bad destination system|null ?mx|no mx|host or domain name not found"
        ),
    ),
    sig(
        "recipient_disabled",
        (
            "inactive (?:e-?mail|user|account|mailbox|address)|"
            "(?:mailbox|account|user|recipient|address).{0,60}(?:is |has been |was )?(?:disabled|inactive|"
            "suspended|deactivated|not active|closed)|no longer (?:active|in use)|not accepting messages"
        ),
        unless="no longer on server",
    ),
    sig(
        "recipient_unknown",
        (
            "(?:does ?n[o']t|not|no longer) (?:exist|have an|a (?:known|valid) (?:user|mailbox|recipient))|"
            "(?:user|recipient|mailbox|address|account|alias).{0,80}(?:unknown|not found|does not exist|not exist|"
            "unavailable|no longer)|"
            "(?:unknown|no such|invalid|nonexistent|non-existent) (?:user|recipient|mailbox|address|account|person)|"
            "recipient address rejected|recipientnotfound|user doesn|no mailbox here"
        ),
    ),
)

_BY_STATUS: tuple[Signature, ...] = (
    sig("server_unavailable", "insufficient system|system storage", status=r"4\.3\.1"),
    sig("not_authenticated", reply="530", status=r"5\.7\.0"),
    sig(
        "credentials_rejected",
        reply="535",
        status=r"5\.7\.8",
        unless=rf"{_BUSY}|disabled|not allowed|blocked|policy|locked",
    ),
    sig("app_password_required", reply="534", status=r"5\.7\.9"),
    sig("web_login_required", reply="534", status=r"5\.7\.14"),
    sig("tls_required", status=r"5\.7\.(?:10|11)"),
    sig("recipient_mailbox_full", status=r"4\.2\.2", transient=True),
    sig("recipient_mailbox_full", status=r"5\.2\.2"),
    sig("recipient_disabled", status=r"5\.2\.1"),
    sig("recipient_unknown", status=r"5\.1\.(?:0|1|6|10)|5\.4\.1"),
    sig("recipient_domain_unknown", status=r"5\.1\.2|5\.4\.4|5\.4\.31[02]"),
    sig("recipient_rejects_sender", status=r"5\.7\.(?:12|124|13[0-6])"),
    sig("too_many_recipients", status=r"[45]\.5\.3"),
    sig("sender_domain_dns", status=r"4\.1\.8"),
    sig("message_malformed", status=r"5\.6\.0"),
    sig("rate_limited", status=r"4\.3\.2|4\.4\.5", unless="busy|unavailable|maintenance|shut|not accepting"),
    sig("delivery_delayed", status=r"4\.4\.[12]"),
    sig("server_unavailable", status=r"4\.3\.\d"),
)

_GENERAL: tuple[Signature, ...] = (
    sig(
        "delivery_delayed",
        "no answer from host|connection to .{0,60}(?:timed out|refused)|delivery (?:is )?delayed|host is down",
        reply=r"4\d\d",
    ),
    sig(
        "server_unavailable",
        (
            "busy|unavailable|try (?:again )?later|come back|try again|"
            r"temporar\w* (?:system )?(?:problem|failure|error)|local error|maintenance|shutting down"
        ),
        reply=r"|4\d\d",
    ),
    sig(
        "wrong_server",
        r"auth\w*",
        "no supported|not (?:supported|available|enabled|recogni[sz]ed)|unrecogni[sz]ed",
        reply="|50[0234]",
    ),
    sig(
        "client_bug",
        (
            "syntax error|command (?:not )?(?:unrecogni[sz]ed|recogni[sz]ed|unknown|not implemented)|bad sequence|"
            "unrecogni[sz]ed command"
        ),
        reply=r"50\d",
    ),
    sig("credentials_rejected", _CREDENTIALS, reply=r"|53\d", unless=_NOT_THE_PASSWORD),
    sig("credentials_rejected", "password|user ?name|credential", _CREDENTIALS, unless=_NOT_THE_PASSWORD),
    sig(
        "server_error",
        "internal (?:server )?error|system error|malformed .{0,20}response|unexpected (?:reply|response)",
        reply=r"|4\d\d|5\d\d",
    ),
)

SMTP_SIGNATURES: tuple[Signature, ...] = (
    *_ACCESS,
    *_PROOF,
    *_OURSELVES,
    *_PACE,
    *_CONTENT,
    *_RECIPIENT,
    *_BY_STATUS,
    *_GENERAL,
)
