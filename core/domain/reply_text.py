"""The part of a reply that its writer has just typed: no quotation, no signature. Pure, line by line, linear.

Attribution lines ("On … wrote:") are known by structure first (a date, then a verb or an address, then a colon), by
language second, so that languages missing in the tables still work where the mail program follows the usual form.
"""

from __future__ import annotations

import re
from typing import Final

MAX_TEXT: Final = 65_536
MAX_LINES: Final = 2_000
_MAX_LINE: Final = 1_000
_ATTRIBUTION_LINES: Final = 4
_ATTRIBUTION_LENGTH: Final = 400
_SIGN_OFF_LINES: Final = 8

_OPENER: Final = re.compile(
    r"(?:-{2,6} ?)?(?:on|le|am|op|il|el|em|den|dnia|w dniu|på|in data|dne|pe|ma|a|de|la|le|vào|tarihinde|el día|"
    r"(?:mon|tue|wed|thu|fri|sat|sun|lun|mar|mer|jeu|ven|sam|dim|mo|di|mi|do|fr|sa|so|lunes|martes|"
    r"miércoles|jueves|viernes|sábado|domingo|seg|ter|qua|qui|sex|sáb|dom|gio|sab|ons|tor|tors|fre|lør|lör|søn|sön|"
    r"man|mån|tir|tis|maandag|dinsdag|woensdag|donderdag|vrijdag|zaterdag|zondag|ma|ti|ke|to|la|su|"
    r"пн|вт|ср|чт|пт|сб|вс|pon|wt|śr|czw|pt|sob|niedz)[a-zäöüéø]{0,7}[.,]?|\d{1,4})(?=[\s.,:/年月-])",
    re.IGNORECASE,
)
_DATE: Final = re.compile(r"\d{1,2}[:.h]\d{2}|\b(?:19|20)\d{2}\b|\d{1,2}[/.]\d{1,2}[/.]\d{2,4}|\d{4}年")
_WROTE: Final = re.compile(
    r"(?:wrote|writes|schrieb|geschrieben|schreef|skrev|skrifaði|escribió|escribio|escreveu|ha scritto|scrisse|"
    r"a [ée]crit|napisa[łl](?:\(a\)|a)?|kirjoitti|написала?|пишет|писала?|напис(?:ав|ала)|yazdı|napsala?|írta|a scris|"
    r"έγραψε|đã viết|写道|寫道|のメール|작성|geschreven|schreibt)\s?[:：]?\s?-{0,6}\s?$",
    re.IGNORECASE,
)
# The name may come first: "Rita <rita@agency.test> schrieb am Mo., 2. Nov. 2026, 10:03:".
_NAMED_OPENER: Final = re.compile(r"[^<>]{0,120}<[^\s<>@]{1,64}@[^\s<>@]{1,253}> ?\S")
_ANY_FIELD: Final = re.compile(r"[\s>*_]{0,8}[^\W\d_][\w ]{0,24}\s?(?:\*{1,2})?\s?[:：]\s?(?:\*{1,2})?\s?\S")
_ADDRESS_AND_COLON: Final = re.compile(r"@[^\s@]{1,253}?\s?(?:>|&gt;|\)|\])\s?:\s*$")

_SEPARATOR: Final = re.compile(
    r"\s{0,4}(?:[-_=*]{2,40}\s?(?:original (?:message|e-?mail)|(?:ursprüngliche|urspr\.?|"
    r"weitergeleitete) (?:nachricht|mail)|"
    r"original-?nachricht|oprindelig (?:meddelelse|besked|mail)|opprinnelig melding|ursprungligt meddelande|"
    r"message (?:d'origine|original|transféré|transmis)|messaggio (?:originale|inoltrato)|mensaje (?:original|"
    r"reenviado)|"
    r"mensagem (?:original|encaminhada)|oorspronkelijk bericht|doorgestuurd bericht|alkuperäinen viesti|"
    r"(?:oryginalna|przekazana) wiadomość|wiadomość oryginalna|původní zpráva|eredeti üzenet|mesaj original|"
    r"(?:исходное|пересылаемое) сообщение|forwarded message|reply above this line|原始邮件|原始郵件|元のメッセージ|"
    r"원본 메시지)\s?[-_=*]{0,40}\s*$|begin forwarded message:|_{2,80}\s*$|-{1,6} ?please reply above|##- .{0,60} -##)",
    re.IGNORECASE,
)

_FROM: Final = re.compile(
    r"[\s>*_]{0,8}(?:from|de|von|van|da|od|fra|från|frå|lähettäjä|от|від|feladó|kimden|gönderen|message du|"
    r"发件人|寄件者|寄件人|差出人|보낸 사람|expéditeur|mittente|remitente|afzender)\s?(?:\*{1,2})?\s?[:：]",
    re.IGNORECASE,
)
_OTHER_FIELD: Final = re.compile(
    r"[\s>*_]{0,8}(?:sent|date|to|subject|cc|envoyé(?: le)?|à|a|objet|gesendet|datum|an|betreff|verzonden|aan|"
    r"onderwerp|"
    r"inviato|data|oggetto|wysłano|do|temat|sendt|dato|til|emne|skickat|till|ämne|lähetetty|päiväys|"
    r"vastaanottaja|aihe|"
    r"enviado(?: el| em)?|fecha|para|asunto|assunto|отправлено|дата|кому|тема|发送时间|收件人|主题|主旨|送信日時|宛先|"
    r"件名|"
    r"elküldve|címzett|tárgy|odesláno|odoslané|komu|předmět|predmet|trimis|către|subiect|보낸 날짜|받는 사람|제목|"
    r"copie à|sujet|destinataire|gönderilen|kime|konu|de)\s?(?:\*{1,2})?\s?[:：]",
    re.IGNORECASE,
)

_SENT_FROM: Final = re.compile(
    r"\s{0,4}(?:[-–—] ?)?(?:sent (?:from|via|using|with) |get outlook for |envoyé (?:de|depuis|à partir|avec) |"
    r"gesendet (?:von|mit|aus) |von meinem .{1,40} gesendet|von .{1,30} gesendet|verzonden (?:vanaf|met|van|via) |"
    r"enviad[oa] (?:desde|do|de|a partir) |inviato (?:da|con|dal) |skickat från |sendt fra |lähetetty |wysłane z |"
    r"wysłano z |отправлено (?:с|из) |надіслано |odesláno z|trimis de pe|iphone'umdan|発信元|iphoneから送信|从我的|"
    r"發自我的|发自我的|나의 .{1,20}에서 보냄|scarica outlook|obtenir outlook|obtener outlook|download outlook|"
    r"outlook für .{1,20} (?:beziehen|herunterladen))",
    re.IGNORECASE,
)
_LINK: Final = re.compile(r"<[^<>\s]{1,500}>|\[[^\[\]\s]{1,500}\]|https?://\S{1,500}")

_SIGN_OFF: Final = re.compile(
    r"\s{0,4}(?:(?:with |my |many |very )?(?:best|kind|kindest|warm|warmest)?\s?(?:regards|wishes)|all the best|best|"
    r"cheers|(?:yours )?(?:sincerely|faithfully|truly)|sincerely yours|respectfully|(?:many )?thanks(?: again| a lot)?|"
    r"thank you(?: very much| so much)?|br|kr|rgds|mit (?:freundlichen|besten|lieben|herzlichen) grü(?:ß|ss)en|"
    r"(?:viele|beste|liebe|herzliche|schöne) grü(?:ß|ss)e|freundliche grü(?:ß|ss)e|mfg|lg|vg|gru(?:ß|ss)|"
    r"(?:bien )?cordialement|(?:bien|sincères) (?:à vous|salutations)|salutations|met vriendelijke groet(?:en)?|"
    r"vriendelijke groet(?:en)?|groet(?:en|jes)?|mvg|saludos(?: cordiales)?|un saludo|atentamente|cordiali saluti|"
    r"distinti saluti|saluti|atenciosamente|cumprimentos|abraços?|obrigad[oa]|med (?:venlig|vennlig|vänlig) "
    r"(?:hilsen|hälsning)(?:ar)?|vennlig hilsen|hilsen|mvh|kh|(?:bästa |vänliga )?hälsningar|vänligen|hälsning|"
    r"ystävällisin terveisin|terveisin|pozdrawiam(?: serdecznie)?|z (?:poważaniem|powazaniem)|s pozdravem|"
    r"(?:üdvözlettel|udvozlettel|üdv)|"
    r"с уважением|з повагою|saygılarımla|此致|敬具)\s?[,.!…]{0,3}\s*$",
    re.IGNORECASE,
)
_SLASH_NAME: Final = re.compile(r"/\s?[^\W\d_]{1,30}(?: [^\W\d_]{1,30})?$")
_RULE: Final = re.compile(r"[\s\-=_*~#—–]{0,200}")
_SIGNATURE_RULE: Final = re.compile(r"--\s{0,4}$")


def visible_reply(text: str) -> str:
    """The first fragment of ``text`` that its writer typed, stripped; empty where everything is quoted.

    Reads at most 64 KB and 2,000 lines. Text below a quotation counts only where there is none above it; own lines
    between quoted ones are kept where no attribution announces the quotation.
    """
    lines = [line[:_MAX_LINE].rstrip() for line in text[:MAX_TEXT].replace("\r\n", "\n").split("\n", MAX_LINES)]
    lines = _without_leading_fields(lines[:MAX_LINES])
    end = next((index for index in range(len(lines)) if _starts_quotation(lines, index)), len(lines))
    own = _trim(_without_signature([line for line in lines[:end] if not _quoted(line)]))
    if own:
        return own
    below = [line for line in _below_quotation(lines, end) if not _quoted(line)]
    return _trim(_without_signature(below))


def _quoted(line: str) -> bool:
    return line.startswith((">", "&gt;", "|>"))


def _starts_quotation(lines: list[str], index: int) -> bool:
    """Whether everything from line ``index`` on is the earlier mail."""
    line = lines[index]
    if not line or _quoted(line):
        return False
    return _SEPARATOR.match(line) is not None or _is_field_block(lines, index) or _attribution_length(lines, index) > 0


def _is_field_block(lines: list[str], index: int) -> bool:
    """ "From: … Sent: … To: …" in a known language: a sender field, then another with an address or two. In any other
    language: three fields in a row with an address and a date among them."""
    block = lines[index : index + 3]
    if len(block) == 3 and all(map(_ANY_FIELD.match, block)) and "@" in block[0] and _has_date(block[1:]):
        return True
    if not _FROM.match(lines[index]):
        return False
    following = [line for line in lines[index + 1 : index + 6] if line]
    others = sum(1 for line in following[:4] if _OTHER_FIELD.match(line))
    return others >= 2 or (others == 1 and any("@" in line for line in (lines[index], *following[:2])))


def _has_date(lines: list[str]) -> bool:
    return any(_DATE.search(line) for line in lines)


def _attribution_length(lines: list[str], index: int) -> int:
    """Over how many lines an attribution runs that begins at ``index``; 0 where none does."""
    named = _NAMED_OPENER.match(lines[index]) is not None
    if not named and not _OPENER.match(lines[index].lstrip()):
        return 0
    joined = ""
    for count, line in enumerate(lines[index : index + _ATTRIBUTION_LINES], start=1):
        joined = f"{joined} {line}".strip()
        if not line or len(joined) > _ATTRIBUTION_LENGTH:
            return 0
        if _closes_attribution(joined, named=named) and _DATE.search(joined):
            return count
    return 0


def _closes_attribution(joined: str, *, named: bool) -> bool:
    """A verb of writing at the end, or a colon after an address (or anywhere, where the address came first)."""
    if joined.endswith((":", "：")) and (named or _ADDRESS_AND_COLON.search(joined[-300:])):
        return True
    return _WROTE.search(joined[-40:]) is not None


def _without_leading_fields(lines: list[str]) -> list[str]:
    """Some programs put the header fields on top of the text."""
    start = next((index for index, line in enumerate(lines) if line), 0)
    if not lines or not _is_field_block(lines, start):
        return lines
    while start < len(lines) and (_FROM.match(lines[start]) or _OTHER_FIELD.match(lines[start])):
        start += 1
    return lines[start:] if any(lines[start:]) else lines


def _below_quotation(lines: list[str], start: int) -> list[str]:
    """The lines after the first quotation of a mail answered from below."""
    index = start + _attribution_length(lines, start) if start < len(lines) else start
    while index < len(lines) and (not lines[index] or _quoted(lines[index])):
        index += 1
    quoted = any(_quoted(line) for line in lines[start:index])
    rest = lines[index:] if quoted else []
    end = next((at for at in range(len(rest)) if _starts_quotation(rest, at)), len(rest))
    return rest[:end]


def _without_signature(lines: list[str]) -> list[str]:
    for index, line in enumerate(lines):
        if any(lines[:index]) and (_SIGNATURE_RULE.match(line) or _is_sent_from(line)):
            lines = lines[:index]
            break
    lines = _drop_empty_end(lines)
    if len(lines) > 1 and _SLASH_NAME.match(lines[-1]):
        lines = lines[:-1]
    for index in range(max(1, len(lines) - _SIGN_OFF_LINES), len(lines)):
        if _SIGN_OFF.match(lines[index]) and any(lines[:index]) and _only_short(lines[index + 1 :]):
            return lines[:index]
    return lines


def _is_sent_from(line: str) -> bool:
    """ "Sent from my iPhone", but no sentence that begins alike."""
    if not _SENT_FROM.match(line):
        return False
    rest = _LINK.sub("", line).strip()
    return len(rest.split()) <= 9 and not rest.endswith((".", "?", "!")) and ", " not in rest


def _only_short(lines: list[str]) -> bool:
    return all(len(line) <= 80 for line in lines)


def _drop_empty_end(lines: list[str]) -> list[str]:
    end = len(lines)
    while end and _RULE.fullmatch(lines[end - 1]):
        end -= 1
    return lines[:end]


def _trim(lines: list[str]) -> str:
    return "\n".join(_drop_empty_end(lines)).strip()
