"""The pages people see: choosing an account, and being told why it does not work."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from html import escape

from aiohttp import web

from sandbox.signin.registry import Person

_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
    "X-Content-Type-Options": "nosniff",
}

_STYLE = """
:root { color-scheme: light; --accent: #0b57d0; --ink: #1f1f1f; --soft: #5f6368; --line: #dadce0; }
body.microsoft { --accent: #0067b8; --ink: #1b1b1b; --soft: #605e5c; --line: #d2d0ce; }
* { box-sizing: border-box; }
body { margin: 0; min-height: 100vh; display: grid; place-items: center; padding: 24px; color: var(--ink);
  background: #f0f4f9; font: 16px/1.5 system-ui, "Segoe UI", Roboto, sans-serif; }
body.microsoft { background: #eef1f5; }
main { width: min(460px, 100%); background: #fff; border-radius: 24px; padding: 36px; box-shadow: 0 1px 6px #0002; }
body.microsoft main { border-radius: 4px; }
.brand { margin: 0 0 20px; font-size: 14px; color: var(--soft); }
h1 { margin: 0 0 8px; font-size: 26px; font-weight: 500; line-height: 1.25; overflow-wrap: anywhere; }
p { margin: 0 0 12px; overflow-wrap: anywhere; }
ul { margin: 0 0 20px; padding: 0 0 0 20px; color: var(--soft); font-size: 14px; overflow-wrap: anywhere; }
form { display: grid; gap: 10px; margin: 20px 0 0; }
button, .button { display: block; width: 100%; padding: 12px 16px; border: 1px solid var(--line);
  border-radius: 12px; background: #fff; color: inherit; font: inherit; text-align: left; text-decoration: none;
  cursor: pointer; }
body.microsoft button, body.microsoft .button { border-radius: 2px; }
button:hover, .button:hover { background: #f5f8fd; }
button:focus-visible, .button:focus-visible { outline: 3px solid var(--accent); outline-offset: 2px; }
button.first { border-color: var(--accent); background: var(--accent); color: #fff; }
button.first:hover { filter: brightness(1.08); }
button small { display: block; color: inherit; opacity: .85; overflow-wrap: anywhere; }
button.quiet { border-color: transparent; text-align: center; color: var(--accent); }
code { display: block; margin: 0 0 12px; padding: 12px; border-radius: 8px; background: #f3f4f6;
  font: 13px/1.5 ui-monospace, Consolas, monospace; overflow-wrap: anywhere; white-space: pre-wrap; }
footer { margin: 24px 0 0; font-size: 12px; color: var(--soft); }
"""


@dataclass(frozen=True, slots=True)
class Look:
    """How one provider's pages differ: the class of the body and the name above everything."""

    css: str
    brand: str


GOOGLE = Look("google", "Sign in with Google (stand-in)")
MICROSOFT = Look("microsoft", "Sign in with Microsoft (stand-in)")


def chooser(look: Look, app_name: str, wishes: Iterable[str], people: Sequence[Person], hint: str) -> web.Response:
    """The page that asks which account signs in; the hinted one stands first."""
    ordered = sorted(people, key=lambda person: person.address != hint.strip().lower())
    asked = "".join(f"<li>{escape(wish)}</li>" for wish in wishes)
    buttons = "".join(_account_button(person, first=at == 0) for at, person in enumerate(ordered))
    nobody = "" if ordered else "<p>The sandbox has no account with this provider.</p>"
    return _page(
        look,
        look.brand,
        f"<h1>Choose an account</h1><p>to continue to <strong>{escape(app_name)}</strong>, which asks to:</p>"
        f'<ul>{asked}</ul>{nobody}<form method="post">{buttons}'
        '<button class="quiet" name="cancel" value="1">Cancel</button></form>',
        status=200,
    )


def problem(
    look: Look, status: int, title: str, words: Iterable[str], detail: str = "", back: tuple[str, str] | None = None
) -> web.Response:
    """An error page; ``detail`` is what support asks for, ``back`` a link's label and address."""
    text = "".join(f"<p>{escape(word)}</p>" for word in words)
    code = f"<code>{escape(detail)}</code>" if detail else ""
    link = f'<a class="button" href="{escape(back[1])}">{escape(back[0])}</a>' if back else ""
    return _page(look, title, f"<h1>{escape(title)}</h1>{text}{code}{link}", status=status)


def _account_button(person: Person, *, first: bool) -> str:
    return (
        f'<button{" class=first" if first else ""} name="account" value="{escape(person.address)}">'
        f"Continue as {escape(person.name)}<small>{escape(person.address)}</small></button>"
    )


def _page(look: Look, title: str, content: str, *, status: int) -> web.Response:
    html = (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{escape(title)}</title>'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f'<style>{_STYLE}</style></head><body class="{look.css}"><main><p class="brand">{escape(look.brand)}</p>'
        f"{content}<footer>Part of the Rethread sandbox. No password is asked, nothing leaves this machine."
        "</footer></main></body></html>"
    )
    return web.Response(text=html, content_type="text/html", charset="utf-8", status=status, headers=_HEADERS)
