"""Rules about pictures, links, and text that nobody sees. Pure."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterator
from typing import Final
from urllib.parse import urlsplit

from core.domain.content_lint.findings import Finding, sample
from core.domain.content_lint.html_look import HtmlLook, Link, look_at
from core.domain.content_lint.words import SHORTENERS

_URL: Final = re.compile(r"(?<!\w)https?://[^\s<>\"'{}]{1,2000}")
_SHOWN_URL: Final = re.compile(r"(?:(https?)://)?((?:[\w-]{1,63}\.){1,8}[a-z]{2,24})(?=[/:?#]|$)\S*+", re.IGNORECASE)
_HTML_COMES_CUT: Final = 102_000
_WORD: Final = re.compile(r"\w{2,30}")
_MOST_URLS: Final = 500


def html_rules(text: str, html: str, shown: str) -> Iterator[Finding]:
    """``shown`` is what people read: the visible text of the HTML part, or the text part where there is no HTML."""
    look = look_at(html) if html else HtmlLook()
    yield from _link_rules([*look.links, *_plain_links(text)])
    if not html:
        return
    yield from _picture_rules(look, len("".join(shown.split())))
    yield from _invisible_rules(look)
    yield from _part_rules(text, html, shown)


def _plain_links(text: str) -> list[Link]:
    return [Link(match[0], "") for match, _ in zip(_URL.finditer(text), range(_MOST_URLS), strict=False)]


def _picture_rules(look: HtmlLook, letters: int) -> Iterator[Finding]:
    """SpamAssassin HTML_IMAGE_ONLY_04 to _32 (0.3 to 2.2); rspamd HAS_... high image ratio 5.0, short HTML 2.0."""
    if not look.images:
        return
    counted = "1 picture" if look.images == 1 else f"{look.images} pictures"
    if letters < 100 or letters < 150 * (look.images - 1):
        yield Finding(
            "image_heavy",
            2.2,
            "is mostly pictures: filters cannot read them, and many programs do not show them",
            "Write the message as text and keep one picture at most.",
            f"{counted}, {letters} letters of text",
        )
    elif letters < 300:
        yield Finding(
            "image_heavy",
            0.5,
            "has little text beside its pictures",
            "Write a little more, or leave the picture out.",
            f"{counted}, {letters} letters of text",
        )
    if look.linked_images and letters < 100:
        yield Finding(
            "linked_image",
            2.0,  # rspamd HTML_SHORT_LINK_IMG_1
            "is hardly more than a picture with a link",
            "Put the link into a sentence.",
            counted,
        )


def _invisible_rules(look: HtmlLook) -> Iterator[Finding]:
    unseen = [found for found in look.faint if found[0] < 1.25]
    if unseen:
        yield Finding(
            "invisible_text",
            4.0,  # rspamd R_WHITE_ON_WHITE
            "has text in its background's colour",
            "Remove it or give it a colour that can be read.",
            unseen[0][1],
        )
    elif look.faint:
        ratio, words = min(look.faint)
        yield Finding(
            "low_contrast",
            0.7,  # SpamAssassin HTML_FONT_LOW_CONTRAST
            f"has text that can hardly be read (contrast {ratio:.1f} to 1)",
            "Use a darker colour: 4.5 to 1 reads well.",
            words,
        )
    if look.tiny:
        yield Finding("tiny_text", 1.0, "has text of no size", "Remove it: filters read it.", look.tiny[0])
    if look.hidden:
        yield Finding("hidden_text", 1.0, "has text that is hidden", "Remove it: filters read it.", look.hidden[0])


def _part_rules(text: str, html: str, shown: str) -> Iterator[Finding]:
    if len(html) > _HTML_COMES_CUT:
        yield Finding(
            "large_html",
            0.5,  # ours
            "is so large that Gmail cuts its end off (after 102 KB)",
            "Remove styles and pictures that came along when it was pasted.",
            f"{len(html) // 1_000} KB of HTML",
        )
    if not text.strip():
        yield Finding(
            "html_only",
            0.2,  # SpamAssassin MIME_HTML_ONLY 0.1, rspamd MIME_HTML_ONLY 0.2
            "has no plain text part",
            "Give the message as plain text too (body).",
        )
        return
    written, seen = _words(text), _words(shown)
    larger = max(len(written), len(seen))
    if larger >= 12 and len(written & seen) < larger / 2:
        yield Finding(
            "parts_differ",
            1.0,  # rspamd R_PARTS_DIFFER up to 1.0, SpamAssassin MPART_ALT_DIFF 0.6 to 2.2
            "says one thing in plain text and another in HTML",
            "Let both parts say the same.",
            sample(text),
        )


def _words(text: str) -> set[str]:
    return {word.lower() for word in _WORD.findall(text)}


def _link_rules(links: list[Link]) -> Iterator[Finding]:
    """Each kind of fault once, with its first example."""
    told: set[str] = set()
    for link in links:
        finding = _link_fault(link)
        if finding is not None and finding.code not in told:
            told.add(finding.code)
            yield finding


def _link_fault(link: Link) -> Finding | None:
    try:
        target = urlsplit(link.target.strip())
        host = (target.hostname or "").removeprefix("www.")
    except ValueError:
        return Finding("broken_link", 1.0, "has a link that leads nowhere", "Correct its address.", sample(link.target))
    if not host or target.scheme not in ("http", "https"):
        return None
    if _is_ip(host):
        return Finding(
            "ip_link", 1.0, "links to a bare IP address", "Link to a name, such as your website.", sample(link.target)
        )
    if host in SHORTENERS:
        return Finding(
            "shortener",
            1.0,
            "hides a link behind a shortener",
            "Give the full address: shorteners are shared with spammers.",
            sample(link.target),
        )
    return _other_target(link, target.scheme, host)


def _other_target(link: Link, scheme: str, host: str) -> Finding | None:
    shown = _SHOWN_URL.fullmatch(link.text.strip())
    if shown is None:
        return None
    named = shown[2].lower().removeprefix("www.")
    evidence = sample(f"{link.text} leads to {link.target}")
    if named != host and not host.endswith(f".{named}") and not named.endswith(f".{host}"):
        return Finding(
            "link_elsewhere",
            1.0,  # between rspamd's 0.5 for another scheme and what it takes for phishing
            "shows one address and links to another",
            "Let the link show words, or the address that it leads to.",
            evidence,
        )
    if shown[1] and shown[1].lower() != scheme:
        return Finding(
            "link_scheme", 0.5, "shows https and links to http, or the other way", "Let both be https.", evidence
        )
    return None


def _is_ip(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True
