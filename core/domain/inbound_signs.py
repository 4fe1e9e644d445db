"""The tell-tales of mail that no person wrote just now: our own tables, by header field and by subject. Pure data.

Subjects are matched at their start only: a person's answer begins with "Re:" and so never looks like a machine's.
Sources: RFC 3834, RFC 5230, RFC 8098, RFC 5546, SpamAssassin's bounce rules, vendors' documentation.
"""

from __future__ import annotations

import re
from typing import Final

# Local parts that only mail systems send from.
DAEMON: Final = re.compile(
    r"mailer[-_.]?daemon|mail[-_.]?daemon|mdaemon|(?:e?mail[-_.]?)?postmaster|post[-_.]?master|postoffice|mmdf|"
    r"mail[-_.]?delivery(?:[-_.]?(?:sub)?system)?|mailer|smtp[-_.]?daemon|daemon|bounce[-_.]?handler|ndr|"
    r"microsoftexchange[0-9a-f]{8,40}|mailsystem|mail[-_.]?router|internet[-_.]?mail[-_.]?(?:service|connector)|"
    r"mta|mailadmin|delivery[-_.]?(?:status|notification|failure)s?|undeliverable|mailerdaemon[-_.]?\w{0,20}",
    re.IGNORECASE,
)
DAEMON_NAME: Final = re.compile(
    r"mail delivery (?:sub)?system|mail administrator|mail delivery service|system administrator|systemadministrator|"
    r"e?mail[- ]?(?:er)?[- ]?daemon|microsoft (?:outlook|exchange)|postmaster|internet mail delivery|mail router",
    re.IGNORECASE,
)

# Local parts of senders that read no answers.
UNATTENDED: Final = re.compile(
    r"(?:[\w.+-]{0,40}[-_.+])?(?:no[-_.]?reply|do[-_.]?not[-_.]?reply|noreply|donotreply|ne[-_.]?pas[-_.]?repondre|"
    r"keine[-_.]?antwort|nicht[-_.]?antworten)(?:[-_.+][\w.+-]{0,40})?",
    re.IGNORECASE,
)

BOUNCE_SUBJECT: Final = re.compile(
    r"\W{0,4}(?:\[[^\]]{0,40}\]\s?)?(?:"
    r"undeliver(?:able|ed)|delivery (?:status )?notif|"
    r"delivery (?:has )?(?:failure|failed|delayed)|delivery (?:report|error|problem)|"
    r"(?:e-?)?mail (?:delivery|system|delivery system|transaction|could not be|not deliver)|returned (?:e-?)?mail|"
    r"failure (?:notice|delivery|notification)|failed (?:delivery|mail)|mail (?:failure|delay|undeliver|error)|"
    r"(?:message|email) (?:delivery|not delivered|undeliver|could not|delayed|status)|"
    r"non[- ]?(?:delivery|remis|deliverable)|"
    r"nondeliverable|warning: (?:could not send|message)|could not send message|unable to deliver|cannot deliver|"
    r"user unknown|address not found|rejected:|delayed(?: mail|:)|problem delivering|error sending|"
    r"unzustellbar|nicht zustellbar|zustellung|nachricht nicht zugestellt|fehlgeschlagene|rückläufer|"
    r"non (?:remis|distribu)|échec de (?:la )?remise|echec de (?:la )?remise|remise différée|"
    r"no se puede entregar|no entregado|correo no entregado|entrega (?:fallida|retrasada)|error de entrega|"
    r"não entregue|nao entregue|falha na entrega|impossibile recapitare|non recapitabile|mancato recapito|"
    r"onbestelbaar|niet (?:bezorgd|bestelbaar)|mislukte|nie można dostarczyć|niedostarczalne|"
    r"kan inte leverera|ej levererbart|olevererbart|kunne ikke leveres|ikke leveret|toimittaminen epäonnistui|"
    r"не доставлено|недоставлен|не удалось доставить|"
    r"配信不能|送信できません|邮件被退回|退信|系统退信|无法送达|無法傳遞|배달되지 않음"
    r")",
    re.IGNORECASE,
)

# These name a machine outright.
AUTO_SUBJECT: Final = re.compile(
    r"\W{0,3}(?:"
    r"auto(?:mati[cs](?:ed)?|mated)?[- ]?(?:reply|replied|response|respond(?:er)?|answer)|autoreply|"
    r"out of (?:the )?office|out-of-office|ooo\b\s?[:\-–—]|vacation (?:reply|response|notice|message|auto)|"
    r"automatische (?:antwort|rückmeldung|nachricht|reaktion)|automatisch(?:e)? (?:antwoord|beantwoord|bericht)|"
    r"abwesenheits|réponse automatique|reponse automatique|absence du bureau|absent du bureau|message d'absence|"
    r"respuesta automática|respuesta automatica|fuera de (?:la )?oficina|resposta automática|"
    r"resposta automatica|fora do escritório|risposta automatica|fuori (?:ufficio|sede)|"
    r"automatiskt svar|autosvar|automatisk svar|automatsvar|"
    r"automaattinen vastaus|poissa toimistosta|automatyczna odpowied[źz]|poza biurem|"
    r"automatická odpověď|automatická odpoveď|mimo kancelář|automatikus válasz|răspuns automat|"
    r"otomatik (?:yanıt|yanit)|автоматический ответ|автоответ|вне офиса|автоматична відповідь|αυτόματη απάντηση|"
    r"自動返信|自动回复|自動回覆|自动答复|不在通知|자동 ?회신|부재중|תשובה אוטומטית|رد تلقائي"
    r")",
    re.IGNORECASE,
)
# A person may write these as well; they count where the mail answers another, since a person's answer begins "Re:".
AWAY_SUBJECT: Final = re.compile(
    r"\W{0,3}(?:auto(?:re)?:|away from (?:my |the )?(?:office|mail|desk|e-?mail)|away until|on vacation|"
    r"i am (?:away|out of|on (?:leave|vacation|holiday))|(?:on )?(?:annual|parental|maternity|paternity|sick) leave|"
    r"abwesenheit|abwesend|ich bin (?:nicht im büro|im urlaub|abwesend)|außer haus|urlaub\b|afwezig|en congés?\b|"
    r"ausente|ausência|frånvaro|fravær|ikke til ?stede|nieobecno)",
    re.IGNORECASE,
)

CHALLENGE_SUBJECT: Final = re.compile(
    r"\W{0,3}(?:your (?:e-?mail|message) .{0,120}requires? verification|.{0,80}verification required|"
    r"please (?:confirm|verify) (?:your|the|this) (?:message|e-?mail|address|delivery|request)|"
    r"confirm(?:ation)? (?:your message|required|needed) |action required: confirm|"
    r"(?:\[?spam ?arrest\]?|boxtrapper|tmda|mailblocks|sender verification)\b)",
    re.IGNORECASE,
)

CALENDAR_SUBJECT: Final = re.compile(
    r"\W{0,3}(?:accepted|declined|tentative(?:ly accepted)?|cancell?ed|updated invitation|invitation|new time proposed|"
    r"canceled event|zugesagt|abgelehnt|mit vorbehalt|abgesagt|accepté|refusé|provisoire|aceptado|aceptada|rechazado|"
    r"provisional|accettato|rifiutato|geaccepteerd|geweigerd|voorlopig|accepterat|avböjt|preliminärt|aceite|aceito|"
    r"recusado|zaakceptowano|odrzucono)\s?:",
    re.IGNORECASE,
)
CALENDAR_SENDER: Final = re.compile(
    r"calendar-notification@google\.com|[^@]{0,80}@calendar(?:-server)?(?:\.bounces)?\.google\.com|"
    r"[^@]{1,80}@(?:mail\.)?(?:calendly|cal|savvycal)\.com",
    re.IGNORECASE,
)

RECEIPT_SUBJECT: Final = re.compile(
    r"\W{0,3}(?:read|not read|opened|return receipt|read receipt|gelesen|ungelesen|lesebestätigung|lu|leído|leido|"
    r"letto|conferma di lettura|gelezen|läst|lest|læst|luettu|lida|lido|przeczytano|confirmation de lecture|"
    r"прочитано|開封済み|已读|已讀)\s?[:\-(]",
    re.IGNORECASE,
)

# (field, value pattern, what to call the evidence): any of these alone says that a machine answered.
AUTO_REPLY_FIELDS: Final[tuple[tuple[str, re.Pattern[str]], ...]] = tuple(
    (field, re.compile(pattern, re.IGNORECASE))
    for field, pattern in (
        ("auto-submitted", r"\s*auto-replied"),  # RFC 3834 5
        ("x-autoreply", r"\s*(?:yes|true|1|auto|.{0,20}reply)"),
        ("x-autoreply-from", r"."),
        ("x-autorespond", r""),
        ("x-autoresponder", r"."),
        ("x-autogenerated", r"\s*(?:reply|forward|group|letter|mirror|redirect)"),
        ("x-auto-reply", r""),
        ("x-mail-autoreply", r""),
        ("x-mailer", r".{0,40}(?:vacation|autorespon)"),
        ("precedence", r"\s*auto[_-]?reply"),
        ("x-precedence", r"\s*auto[_-]?reply"),
        ("x-apple-action", r"\s*vacation"),
        ("x-post-messageclass", r"\s*9\b"),  # MERAK
        ("x-fc-machinegenerated", r"\s*true"),  # FirstClass
        ("delivered-to", r"\s*autoresponder"),
        ("x-ms-exchange-generated-message-source", r".{0,20}(?:mailbox rules agent|auto ?reply)"),
        ("x-ms-exchange-inbox-rules-loop", r""),
        ("x-cron-env", r"."),
        ("x-gmail-autoreply", r""),
        ("x-yahoo-vacation", r""),
        ("x-zoho-vacation", r""),
        ("x-vacation", r""),
        ("x-kaspmail-autoreply", r""),
    )
)

AUTO_REPLY_NAMES: Final = frozenset(field for field, _ in AUTO_REPLY_FIELDS)

# Sent by a machine, but not in answer to a mail.
AUTO_GENERATED: Final = re.compile(r"\s*(?:auto-generated|auto-notified|yes|true)", re.IGNORECASE)
LIST_FIELDS: Final = (
    "list-id",
    "list-post",
    "list-unsubscribe",
    "x-listserver",
    "x-mailing-list",
    "x-mailman-version",
    "feedback-id",
    "x-mc-user",
    "x-campaign-id",
    "x-campaignid",
    "x-csa-complaints",
)
BULK: Final = re.compile(r"\s*(?:bulk|list|junk)\b", re.IGNORECASE)
TICKET_FIELDS: Final = (
    "x-otrs-loop",
    "x-bugzilla-type",
    "x-github-reason",
    "x-jira-fingerprint",
    "x-rt-ticket",
)
CHALLENGE_FIELDS: Final = (
    "x-boxtrapper-queue",
    "x-boxtrapper",
    "x-tmda-confirm",
    "x-spamarrest-probe",
    "x-cr-puzzleid",
)

# Fields that only a mail system's own report carries.
BOUNCE_FIELDS: Final = (
    "x-failed-recipients",
    "x-ms-exchange-message-is-ndr",
    "x-ms-exchange-organization-dsn-version",
    "x-notes-nondelivery",
)
