"""One HTTP server for all of the sandbox: stand-ins, page API and the page itself."""

from collections.abc import Iterable
from pathlib import Path

from aiohttp import web
from aiohttp.typedefs import Handler

PAGE_DIR = Path(__file__).parent / "page"
LOOPBACK = "127.0.0.1"
# Form posts and views of the largest size Slack takes fit well within this.
MAX_REQUEST_BYTES = 8 * 1024 * 1024
SHUTDOWN_SECONDS = 1.0


def build_application(routes: Iterable[web.RouteDef], page_dir: Path = PAGE_DIR) -> web.Application:
    """Return an application with these routes, the page at ``/`` and its files at ``/page-static/``."""

    async def index(_request: web.Request) -> web.StreamResponse:
        return web.FileResponse(page_dir / "index.html")

    application = web.Application(client_max_size=MAX_REQUEST_BYTES, middlewares=[_always_fresh])
    application.router.add_get("/", index)
    application.router.add_static("/page-static", page_dir)
    application.router.add_routes(list(routes))
    return application


@web.middleware
async def _always_fresh(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Let browsers ask again each time: the page's files change while it is being worked on."""
    response = await handler(request)
    if not response.prepared:
        response.headers.setdefault("Cache-Control", "no-cache")
    return response


class HttpServer:
    """An application listening on loopback."""

    def __init__(self, application: web.Application) -> None:
        self._runner = web.AppRunner(application, access_log=None, shutdown_timeout=SHUTDOWN_SECONDS)
        self.url = ""

    async def start(self, port: int = 0) -> str:
        """Listen on ``port`` (0: a free one) and return the base address without a final slash."""
        await self._runner.setup()
        site = web.TCPSite(self._runner, LOOPBACK, port)
        await site.start()
        self.url = f"http://{LOOPBACK}:{self._runner.addresses[0][1]}"
        return self.url

    async def stop(self) -> None:
        """Stop listening and end the requests under way."""
        await self._runner.cleanup()
