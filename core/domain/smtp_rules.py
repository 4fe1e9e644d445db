"""How servers word their refusals: our own tables, most telling first. Pure data.

Patterns are matched on lower-case text whose whitespace is single spaces. Gaps are bounded (``.{0,40}``), so that
time stays linear. Sources: RFC 3463, 5248, 7372, 7504, 7505; the enhanced codes Google, Microsoft and Yahoo publish;
the wordings of Postfix, Exim, Sendmail, qmail, Exchange and the large providers.
"""

from __future__ import annotations

import re
from typing import Final

_WORDS: Final[tuple[tuple[str, str], ...]] = (
    # Wordings that hold a word of another topic, hence first.
    ("unknown", r"due to a recipient error"),
    ("sender_rejected", r"sending to/from an address|groups\.google\.com/support|but sender was rejected"),
    ("sender_rejected", r"your (?:e-?mail )?address has been blacklisted|sender is (?:a )?spammer"),
    ("own_limit", r"submission ?quota|max(?:imum)? e?-?mails? per (?:hour|day)"),
    (
        "filtered",
        r"resolver\.rst\.(?!\w{0,20}size)|blocked by (?:the |your )?(?:recipient|addressee)|"
        r"recipient is only accepting|"
        r"(?:user|recipient)\b.{0,20} refuses? to receive|account is protected by|not accepting any mail|user rules",
    ),
    ("content_rejected", r"potential security issue|illegal attachment|presents a potential"),
    ("invalid_domain", r"account or domain may not exist"),
    (
        "network_error",
        r"host not found, try again|try again.{0,10}host not found|name server reply|unreachable|resolve route|"
        r"forwarding loop|message looping|dns (?:query|lookup|server|"
        r"error)(?!.{0,200}null mx)|"
        r"hop ?count|too many hops|(?:mail|routing|message) loop|loops? (?:back|detected)|network.{0,20}unreachable|"
        r"no route to host|temporary lookup failure|name server.{0,30}(?:fail|timeout|timed out)|"
        r"mail for .{0,80} loops back|network error",
    ),
    ("filtered", r"rejected by a remote mail server|rejected by the recipient(?! domain)"),
    ("server_error", r"^pipe to \||generated during the delivery attempt"),
    (
        "login",
        r"username and password not accepted|basic auth(?:entication)? is (?:not|disabled)|smtpclientauthentication|"
        r"\b53[0458][ -]|auth(?:entication|orization)? (?:is )?(?:unsuccessful|credentials|required)|"
        r"authentication fail|invalid (?:login|credentials)|application-specific password|please log in|"
        r"must issue a starttls|client (?:was )?not authenticated|web login required|\b5\.7\.30\b(?!.{0,200}dkim)",
    ),
    (
        "sender_blocked",
        r"mail sending denied|outboundspam|wascl useraction|unusual sending activity|outgoing mail suspension|"
        r"bad outbound sender|outbound spam|(?:your|sender'?s?|this) (?:account|mailbox|tenant).{0,60}(?:blocked|"
        r"suspended|"
        r"restricted|exceeded.{0,20}threshold) ?(?:from sending|for send)?|access denied, (?:banned|"
        r"tenant)(?! sending ip)|"
        r"account.{0,40}(?:blocked|disabled|suspended) (?:from|for) sending|not allowed to send messages? from",
    ),
    (
        "own_limit",
        r"daily (?:user |smtp )?(?:relay |sending )?(?:limit|sending quota)|sending (?:limit|quota)|"
        r"submission (?:quota|limit)|(?:exceeded|reached).{0,40}(?:limit|number) (?:of|for) "
        r"(?:messages|recipients|e-?mails).{0,20}(?:day|hour|sent|send)|user.{0,20}rate limit|"
        r"outgoing (?:mail|message).{0,30}limit|hourly (?:sending|message|email) (?:limit|quota)",
    ),
    (
        "spam_block",
        r"(?:rejected|refused|blocked).{0,20}due to spam classification|rejected as spam|message.{0,40}(?:is|"
        r"as) spam\b",
    ),
    (
        "content_rejected",
        r"\bvirus|malware|infected|trojan|\bworm\b|ransomware|dangerous (?:content|attachment)|executable|"
        r"attachment.{0,40}(?:not allowed|blocked|prohibited|rejected|type)|(?:file|attachment) type|"
        r"unsafe (?:content|attachment)",
    ),
    (
        "auth_block",
        r"\bspf\b|\bdkim\b|\bdmarc\b|sender policy framework|sender[ -]id\b|"
        r"sender is unauthenticated|not have authentication information|(?:fail\w*|pass\w*).{0,20}authentication check|"
        r"\bptr\b|reverse (?:dns|lookup|ip|hostname|name)|\bfcrdns\b|\brdns\b|cannot find your (?:reverse )?hostname|"
        r"unauthenticated (?:e-?mail|mail|sender)|helo.{0,40}(?:does not resolve|invalid|rejected)",
    ),
    (
        "reputation_block",
        r"spamhaus|spamcop|barracudacentral|sorbs\.net|dnsbl|\brbl\b|\brbls?:|proofpoint\.com/.{0,20}block|senderscore|"
        r"reputation|\btss\d\d|banned sending ip|user complaints|spam complaints|smtp server of your isp|"
        r"daily relay quota|black ?-?list|block ?-?list|deny ?-?list(?!.{0,10}(?:recipient))|dynamic (?:ip|pool|"
        r"address)|"
        r"residential|(?:blocked|refused|rejected) - see http|forbidden by your ip|ip you're using to send|go away|"
        r"open proxy|"
        r"spams? from your ip|suspiciously like spam|client host rejected: (?:abus|may not|was not)|bad ip profile|"
        r"not allowed to connect|multi-blacklist|sender ip |no access from mail server|rejecting mail from your|"
        r"too many unwanted messages|\bs3150\b|part of their network is on our block|"
        r"(?:is|are|was|has been) (?:listed (?:in|on|by|at)|blacklisted)",
    ),
    (
        "rate_limited",
        r"gr[ae]y ?-?list|come back later|too many recipients|thread limit|trop de connexions|numerous attempts|"
        r"too busy|(?:connection|session).{0,20} limit|frequency limited|rate[ -]?limit|receiving mail at a rate|"
        r"too many (?:connections?|messages|"
        r"sessions|concurrent|recipients this|emails|mails|invalid recipients|unknown|errors|sessions)|throttl|"
        r"slow(?:er|(?:ing)? down)|too (?:fast|quickly|frequent|often|much mail)|temporarily deferred|"
        r"(?:connection|message|sending|delivery) (?:rate|frequency)|exceeded.{0,30}(?:rate|connections)|"
        r"unusual rate|ratelimited|concurrent connections|resources? (?:temporarily )?restricted",
    ),
    (
        "relay_denied",
        r"relay(?:ing)?(?: access)? ?(?:is )?(?:denied|not permitted|not allowed|prohibited|forbidden|disabled|"
        r"rejected)|"
        r"unable to relay|insecure mail relay|not (?:permitted|allowed|authorized|authorised) to relay|open relay|"
        r"relay(?:ing)?.{0,20}not (?:allowed|permitted|supported)|rcpthosts|we do not relay|cannot relay|no relay",
    ),
    (
        "server_error",
        r"(?:mail ?)?system (?:is )?full|insufficient (?:system|disk|queue) (?:storage|space|resources)|"
        r"no space left|queue file write|out of memory|disk (?:is )?full|not enough (?:disk|system) space|"
        r"system storage",
    ),
    (
        "mailbox_full",
        r"storage allocation|exceeds? allowed size|space has been used up|folder is full|too much mail data|"
        r"boite .{0,30}pleine|quota.{0,10}violation|shutoffquota|mail ?box (?:is |was )?(?:full|over)|over ?-?quota|"
        r"quota.{0,30}(?:exceed|full|reached|violation)|"
        r"(?:exceed|reached|over).{0,40}(?:quota|storage limit|mailbox size|allotted storage|mailbox limit)|"
        r"out of storage|storage (?:quota|limit|space).{0,20}(?:exceed|full)|disk quota|full mailbox|"
        r"inbox (?:is )?full|"
        r"mail ?box.{0,60}(?:is full|full\b|over quota|size limit|storage)|insufficient (?:mailbox|storage)|"
        r"not enough (?:storage|mailbox|space)|mailbox.{0,30}exceeded|too many messages in|account is full|"
        r"quotaexceeded",
    ),
    ("content_rejected", r"headers? (?:are |is |lines? )?too (?:large|long|big)|too many headers"),
    (
        "too_large",
        r"(?:message|mail|email|body|content|attachment|size).{0,40}(?:too (?:large|big|long)|exceed)|too (?:large|"
        r"big)|"
        r"(?:exceed|larger|bigger).{0,40}(?:size|limit of \d)|max(?:imum)?.{0,30}(?:message|inbound|mail).{0,10}size|"
        r"size limit|message length exceeds",
    ),
    (
        "sender_rejected",
        r"not owned by|empty (?:envelope|sender|e-?mail address)|null sender|emetteur invalide|members?-only|"
        r"non-?member|not (?:subscribed|registered).{0,30}(?:group|list|gateway)|closed mailing list|sendasdenied|"
        r"send(?:ing)? (?:as|on behalf)|disallowed as|not one of your addresses|bad ?sender ?mx|purported responsible|"
        r"valid sender domain|server does not accept mail from|"
        r"sender (?:address )?(?:was |is )?(?:rejected|denied|refused|blocked|invalid|not (?:allowed|accepted|exist|"
        r"valid))|"
        r"sender (?:address )?verif\w+ (?:failed|error)|(?:domain|address|name) of sender|sender(?:'s)? (?:domain|"
        r"address)"
        r".{0,40}(?:not (?:exist|found|resolve)|invalid|rejected|unresolvable|does ?n[o']t)|(?:unroutable|"
        r"unrouteable) sender|"
        r"(?:bad|invalid|unknown|malformed|forged) (?:sender|mail from|from address|return path|reverse.?path)|"
        r"mail from.{0,40}(?:rejected|denied|not (?:accepted|allowed))|backscatter|"
        r"verify (?:the )?sender|\[mail_from\]|from (?:address|header).{0,40}(?:not (?:owned|allowed|match)|rejected)|"
        r"you are not allowed to post|not (?:have )?(?:the )?permissions?.{0,30}post|sender does not exist",
    ),
    (
        "mailbox_disabled",
        r"(?:mail ?box|account|user|recipient|address).{0,80}(?:disabled|inactive|suspend|\blocked|deactivated|"
        r"not active|"
        r"terminated|closed|not (?:been )?activated|archived|archivee|has expired|frozen|discontinued|on hold)|"
        r"(?<!temporarily )suspend|archived recipient|no longer accepts? (?:e-?)?mail|"
        r"invalid/inactive|disabled (?:recipient|mailbox|account|"
        r"user)|"
        r"inactive (?:user|account|mailbox)|account that you tried to reach is (?:disabled|inactive)",
    ),
    (
        "filtered",
        r"recipient(?:'s)? (?:preferences?|settings)|user reject|refused by (?:the )?recipient|rejected by (?:the )?"
        r"(?:recipient(?! domain)|user|user's)|blocked by (?:the )?(?:recipient|user)|(?:not|"
        r"un)authorized to send.{0,20}(?:to )?"
        r"(?:this|the) (?:recipient|group|user|address)|resolver\.rst|(?:only|not) accept(?:s|"
        r"ing)?.{0,30}from (?:you|this|"
        r"certain|known|external|people|specific)|delivery not authorized|permission to (?:send|email)|"
        r"sender not (?:authenticated|allowed|authorized) (?:for|to)|restricted (?:recipient|address|group)|"
        r"requires? senders? to be authenticated|moderat|your (?:address|e-?mail) is blocked by|sieve|"
        r"rejected by (?:a |an )?(?:mail )?(?:rule|filter)",
    ),
    (
        "invalid_domain",
        r"null ?mx|find any host|dead domain|mail receiving disabled|no route for current request|"
        r"host (?:is )?unknown|unknown (?:host|domain)|(?:host|"
        r"domain)(?: name)?(?: or domain name)? (?:was |is )?"
        r"(?:not found|nonexistent|invalid)|no such (?:domain|host)|domain.{0,80}(?:does ?n[o']t exist|"
        r"couldn't be found|"
        r"could not be found|may not exist|does not have|not exist)|\bnxdomain|(?:does ?n[o']t|not) (?:accept|receive) "
        r"(?:any )?e?-?mails?(?! from)|unrouteable (?:mail )?domain|illegal host|no mx\b|bad destination (?:host|"
        r"system)|"
        r"no (?:valid )?mail (?:exchanger|server|host).{0,20}(?:for|found)|smtp protocol returned a permanent error|"
        r"all relevant mx records point to non|name or service not known",
    ),
    (
        "invalid_recipient",
        r"badrcptto|no one at this address|not a valid (?:mailbox|recipient|address|user)|missing home directory|"
        r"can't accept user|name directory|addresses were unknown|no valid recipients, bye|destinataire invalide|"
        r"no existe (?:dicha|ese)|is not (?:a|an) (?:known|valid|active|local)|(?:user|usuario|utilisateur|"
        r"benutzer)s? (?:is |was |name )?(?:unknown|not known|inconnu|desconocido|"
        r"unbekannt)|"
        r"unknown (?:user|recipient|mailbox|address|account|local|or illegal|e-?mail|user account)|"
        r"no such (?:user|recipient|mailbox|address|person|account|local|e-?mail|name|id)|"
        r"no (?:mail ?box|user|account|recipient)s? (?:here )?(?:by|with|for|named|called|found|of) |"
        r"(?:user|recipient|mail ?box|address|account|e-?mail|person|alias|addressee)\b.{0,80}(?:not found|not exist|"
        r"n[o']t exist|doesn'?t exist|is unknown|unknown|is invalid|is not valid|no longer|not listed|not known|"
        r"not recogni[sz]ed|not a valid|n't (?:have|find|found)|wasn't found|could ?n(?:o|')t be found|not local|"
        r"not available|not our|never existed|not registered|unavailable|is not handled|not in (?:our|the))|"
        r"recipientnotfound|recipnotfound|invalid (?:recipient|mail ?box|address|user|e-?mail|final delivery|account)|"
        r"not (?:our user|our customer|a (?:known|valid) user)|(?:bad|wrong) (?:destination )?(?:mailbox )?"
        r"(?:address|recipient|user)|doesn'?t have an? .{0,80}account|not like recipient|address has been replaced|"
        r"has been replaced|(?:has )?moved (?:to|permanently)|not listed in|user(?:id)? .{0,40}not listed|"
        r"(?:user|recipient|address|account).{0,20}has left|empf(?:ä|ae)nger unbekannt|unrouteable address|"
        r"no longer (?:works|employed|in use|valid|accepting|available)|non-?existent (?:user|mailbox|recipient|"
        r"address)|"
        r"recipient(?: address)? (?:is )?(?:rejected: access denied|not accepted)|undeliverable address|"
        r"mailbox unavailable|mailbox .{0,60}unavailable|destinataire inconnu|wurde nicht gefunden|ne existe|no existe|"
        r"n'existe pas|bestaat niet|non esiste|不存在|存在しません",
    ),
    (
        "spam_block",
        r"\bspam|unsolicited|\bjunk|content (?:was )?rejected|message content|bulk (?:e-?)?mail|phish|suspicious|"
        r"looks like|considered (?:to be )?(?:spam|unwanted)|unwanted|banned content|blocked by.{0,20}(?:content|"
        r"filter)|"
        r"rejected (?:by|due to).{0,20}content|\bube\b|\buce\b|high probability|symantec|messagelabs|"
        r"rejected.{0,20}score",
    ),
    (
        "reputation_block",
        r"(?:\bip\b|ip address|network|client host|domain|host|sender|server|connection|address range).{0,60}"
        r"(?:is |was |been |are |and )?(?:blocked|banned|rejected:? (?:blocked|due)|listed)|"
        r"blocked (?:ip|using|by (?:our|the)|for abuse|address)|access from ip|block(?:ed)? .{0,30}\bip\b|"
        r"poor reputation|"
        r"mail from.{0,30}\bip\b.{0,30}(?:refused|rejected)|bad (?:host|ip)|client host rejected(?!.{0,40}try again)",
    ),
    (
        "content_rejected",
        r"\brfc ?-?(?!822\b|1894\b|3464\b)\d{3,4}|multiple (?:addresses|subject|from|header)|missing.{0,30}(?:header|"
        r"message-id|date|from)|"
        r"duplicate header|malformed|bare (?:lf|cr)|invalid header|improperly[ -]?formatted|not compliant|"
        r"message.{0,20}(?:corrupt|format)|mime error|8-?bit (?:data|character)|non-ascii",
    ),
    (
        "policy_block",
        r"polic(?:y|ies)|mass mailer|organi[sz]ational settings|administrative prohibition|your (?:region|country|"
        r"location)|geo(?:graphic|location)|"
        r"network not allowed|header error|transport ?rules?|compliance|regulatory|prohibited",
    ),
    (
        "expired",
        r"expired|long failure period|multiple retries|not reachable within|not been collected|"
        r"retry time ?-?(?:out)?.{0,10}exceeded|not delivered within|(?:been )?(?:too long )?in (?:the )?queue|"
        r"could not be delivered for \d|not accept our requests to connect|all hosts.{0,60}failing|"
        r"time ?-?out exceeded|"
        r"deleted from queue|(?:is|are) not responding|connection (?:timed out|refused|reset|closed|lost|failed)|"
        r"(?:timed|time) out|timeout|lost connection|delivery failed \d+ attempts|unable to (?:contact|connect|reach)|"
        r"retry timeout|gave up|giving up after|deferred:|server did not respond|socket error|no answer from host",
    ),
    (
        "protocol_error",
        r"syntax error|command.{0,30}(?:not implemented|unrecogni[sz]ed|not recogni[sz]ed|unknown|rejected|out of|"
        r"unexpected)|not implemented|bad sequence|unrecogni[sz]ed (?:command|parameter)|need (?:rcpt|mail)|"
        r"smtputf8|8bitmime|unsupported|protocol error|improper use of smtp|pipelining",
    ),
    (
        "server_error",
        r"mis-?configured|no mdb|interrupted system call|internal error|system (?:config\w*|configuration)? ?error|"
        r"internal (?:server |system |software )?error|local error|"
        r"configuration error|service (?:is )?(?:temporarily )?(?:unavailable|not available)|x-unix; ?\d|"
        r"command (?:output|died|failed)|mailer (?:error|returned)|i/o error|server (?:error|busy|fault|problem)|"
        r"temporary (?:failure|problem|error|local|server|system)|unable to (?:open|create|write)|"
        r"internal (?:problem|fault)|"
        r"encountered an error while|unexpected failure|not available at this time|system.{0,20}(?:down|busy)|"
        r"can'?t create",
    ),
    (
        "security_error",
        r"access (?:is )?denied|starttls|verification failure|unauthenticated senders|permission denied|"
        r"not authori[sz]ed|must (?:be )?(?:authenticated|encrypted)|\btls\b|"
        r"\bssl\b|encrypt|certificate|cryptograph|security|failed to delivery",
    ),
    (
        "rate_limited",
        r"try (?:again|your request|later)|retry later|temporarily (?:unavailable|rejected|refused)|deferred",
    ),
    ("reputation_block", r"has been blocked|(?:e-?mail|message|mail) blocked|\bbanned\b|access rejected"),
    (
        "invalid_recipient",
        r"(?:recipient|address|rcpt).{0,40}(?:rejected|refused|denied)|does not like recipient|unable to find|"
        r"not found",
    ),
)
PATTERNS: Final[tuple[tuple[str, re.Pattern[str]], ...]] = tuple((topic, re.compile(words)) for topic, words in _WORDS)
