"""Pages from templates: everything in them is escaped unless a template says otherwise, and none does."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

from aiohttp import web
from jinja2 import Environment, FileSystemLoader, StrictUndefined

_HERE: Final = Path(__file__).parent
STYLE: Final = "/connect-static/page.css"


class Pages:
    """Renders the templates beside this file."""

    def __init__(self) -> None:
        self._environment = Environment(
            loader=FileSystemLoader(_HERE / "templates"),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self._style = (_HERE / "static" / "page.css").read_text("utf-8")

    def page(self, template: str, *, status: int = 200, **values: Any) -> web.Response:
        """An HTML answer."""
        text = self._environment.get_template(template).render(style=STYLE, **values)
        return web.Response(text=text, status=status, content_type="text/html", charset="utf-8")

    def plain(self, status: int, heading: str, text: str, *, reference: str = "") -> web.Response:
        """A page of one heading and one sentence; ``reference`` is what the log knows an error by."""
        return self.page("message.html", status=status, heading=heading, text=text, reference=reference)

    async def style(self, _: web.Request) -> web.Response:
        """The style sheet; unlike the pages it may be kept."""
        headers = {"Cache-Control": "public, max-age=3600"}
        return web.Response(text=self._style, content_type="text/css", charset="utf-8", headers=headers)
