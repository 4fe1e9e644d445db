"""Folder names on the wire: modified UTF-7 (RFC 3501 5.1.3), quoting, and what a folder is for (RFC 6154). Pure."""

from __future__ import annotations

import base64
import re
from collections.abc import Iterable

from core.ports.mail import FolderInfo

_SHIFTED = re.compile(r"&([^-&]*)-")
_UNSAFE = re.compile(r"[^\x20-\x7e]+|&")
_FORBIDDEN = re.compile(r"[\x00\r\n]")

_ROLE_BY_ATTRIBUTE = {
    "\\inbox": "inbox",
    "\\sent": "sent",
    "\\junk": "junk",
    "\\spam": "junk",
    "\\drafts": "drafts",
    "\\trash": "trash",
    "\\archive": "archive",
    "\\all": "all",
    "\\allmail": "all",
}

# Servers without SPECIAL-USE (many Exchange ones) tell by the name only, in the mailbox owner's language.
_NAMES_BY_ROLE = {
    "sent": (
        "sent|sent items|sent mail|sent messages|sent-mail|gesendet|gesendete elemente|gesendete objekte|"
        "gesendete nachrichten|envoyés|éléments envoyés|messages envoyés|objets envoyés|enviados|elementos enviados|"
        "mensajes enviados|correo enviado|itens enviados|mensagens enviadas|posta inviata|inviati|inviata|verzonden|"
        "verzonden items|verzonden berichten|skickat|skickade objekt|skickade meddelanden|sendt|sendt post|"
        "sendte elementer|sendte element|sende elementer|lähetetyt|lähetetyt kohteet|wysłane|elementy wysłane|"
        "odeslané|odeslaná pošta|odoslané|odoslaná pošta|elküldött elemek|elküldött üzenetek|trimise|"
        "elemente trimise|изпратени|отправленные|надіслані|відправлені|απεσταλμένα|gönderilmiş öğeler|gönderilenler|"
        "gönderilmiş postalar|送信済み|送信済みアイテム|送信済みメール|已发送|已发送邮件|已傳送郵件|寄件備份|"
        "보낸편지함|보낸 편지함|보낸 메일함|פריטים שנשלחו|דואר יוצא|البريد المرسل|العناصر المرسلة|"
        "poslano|poslana pošta|saadetud|išsiųsta|nosūtītie"
    ),
    "junk": (
        "junk|junk email|junk e-mail|spam|bulk|bulk mail|spamverdacht|unerwünscht|junk-e-mail|courrier indésirable|"
        "indésirables|pourriel|correo no deseado|correo basura|lixo eletrônico|lixo eletrónico|lixo electrónico|"
        "posta indesiderata|indesiderata|ongewenste e-mail|ongewenste reclame|skräppost|søppelpost|uønsket e-mail|"
        "uønsket mail|roskaposti|wiadomości-śmieci|wiadomości śmieci|nevyžádaná pošta|nevyžiadaná pošta|levélszemét|"
        "спам|нежелательная почта|небажана пошта|önemsiz|önemsiz e-posta|迷惑メール|垃圾邮件|垃圾郵件|정크 메일|스팸|"
        "스팸메일함|דואר זבל|البريد العشوائي|ανεπιθύμητα|neželena pošta"
    ),
    "drafts": (
        "drafts|draft|entwürfe|brouillons|borradores|rascunhos|bozze|concepten|utkast|kladder|luonnokset|"
        "wersje robocze|robocze|koncepty|rozepsané|piszkozatok|ciorne|черновики|чернетки|πρόχειρα|taslaklar|下書き|"
        "草稿|草稿箱|草稿匣|임시 보관함|임시보관함|טיוטות|مسودات|المسودات"
    ),
    "trash": (
        "trash|bin|deleted|deleted items|deleted messages|papierkorb|gelöscht|gelöschte elemente|gelöschte objekte|"
        "corbeille|éléments supprimés|papelera|elementos eliminados|lixeira|itens excluídos|itens eliminados|cestino|"
        "posta eliminata|prullenbak|verwijderde items|papperskorg|papperskorgen|borttaget|slettet post|"
        "slettede elementer|papirkurv|roskakori|poistetut|kosz|elementy usunięte|koš|odstraněná pošta|kôš|"
        "törölt elemek|kuka|coș de gunoi|корзина|удаленные|удалённые|кошик|видалені|κάδος απορριμμάτων|"
        "διαγραμμένα|çöp kutusu|silinmiş öğeler|ごみ箱|ゴミ箱|削除済みアイテム|已删除|已删除邮件|刪除的郵件|垃圾桶|"
        "휴지통|지운 편지함|פריטים שנמחקו|אשפה|العناصر المحذوفة|المهملات"
    ),
    "archive": (
        "archive|archives|archiv|archivo|arquivo|archivio|archief|arkiv|arkisto|archiwum|arhiva|архив|архів|"
        "αρχειοθήκη|arşiv|アーカイブ|存档|归档|封存|보관함|ארכיון|أرشيف"
    ),
}
_ROLE_BY_NAME = {name: role for role, names in _NAMES_BY_ROLE.items() for name in names.split("|")}


def decode_name(wire: str) -> str:
    """A folder name as people read it; a name that is no valid modified UTF-7 comes back as it stood on the wire."""
    try:
        return _SHIFTED.sub(lambda match: _decode_shifted(match[1]), wire)
    except ValueError:  # no base64, no UTF-16, or no ASCII
        return wire


def _decode_shifted(text: str) -> str:
    if not text:
        return "&"
    padded = text.replace(",", "/") + "=" * (-len(text) % 4)
    return base64.b64decode(padded, validate=True).decode("utf-16-be")


def encode_name(name: str) -> str:
    """The name in modified UTF-7."""
    return _UNSAFE.sub(lambda match: _encode_shifted(match[0]), name)


def _encode_shifted(text: str) -> str:
    if text == "&":
        return "&-"
    encoded = base64.b64encode(text.encode("utf-16-be", "surrogatepass")).decode("ascii")
    return "&" + encoded.rstrip("=").replace("/", ",") + "-"


def quote(text: str) -> str:
    """An IMAP quoted string. Raises ValueError for NUL, CR and LF, which no quoted string may hold."""
    if _FORBIDDEN.search(text):
        raise ValueError("NUL, CR and LF cannot be quoted")
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def assign_roles(folders: Iterable[tuple[str, str | None, frozenset[str]]]) -> list[FolderInfo]:
    """Folders with their roles. Each folder is (name, hierarchy delimiter, lower-case LIST attributes).

    The server's own attributes win; a role that no attribute names is looked for by the folder's last name part.
    """
    listed = list(folders)
    roles = {name: _role_by_attributes(name, attributes) for name, _, attributes in listed}
    taken = {role for role in roles.values() if role}
    for name, delimiter, attributes in listed:
        last_part = name.rsplit(delimiter, 1)[-1] if delimiter else name
        role = _ROLE_BY_NAME.get(last_part.casefold())
        if roles[name] is None and role and role not in taken and _selectable(attributes):
            roles[name] = role
            taken.add(role)
    return [FolderInfo(name, roles[name], _selectable(attributes)) for name, _, attributes in listed]


def _role_by_attributes(name: str, attributes: frozenset[str]) -> str | None:
    if name.upper() == "INBOX":
        return "inbox"
    return next((role for attribute, role in _ROLE_BY_ATTRIBUTE.items() if attribute in attributes), None)


def _selectable(attributes: frozenset[str]) -> bool:
    return not attributes & {"\\noselect", "\\nonexistent"}
