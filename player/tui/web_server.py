"""The screen in a browser on this machine: Textual's own server, behind a token."""

import hmac
import logging
import secrets

from aiohttp import web
from aiohttp.typedefs import Handler, Middleware
from textual_serve.server import Server

COOKIE = "player-token"
POLICY = {
    "Content-Security-Policy": "default-src 'self' 'unsafe-inline' data: blob: ws://127.0.0.1:*",
    "Referrer-Policy": "no-referrer",
}
"""Nothing of the page comes from elsewhere, though Textual's asks for a font of Google's, and its address goes nowhere."""


class ScreenServer(Server):
    """Shows what a command draws to whoever has the token, on the loopback address alone.

    Args:
        command: what to run for each page, as a shell takes it.
        port: where to listen.
    """

    def __init__(self, command: str, port: int) -> None:
        super().__init__(command, host="127.0.0.1", port=port, title="player")
        self.token = secrets.token_urlsafe(24)

    @property
    def address(self) -> str:
        """What to open in a browser; who has it has the player."""
        return f"{self.public_url}/?token={self.token}"

    def initialize_logging(self) -> None:
        """Only what goes wrong: the requests would show the token."""
        logging.basicConfig(level=logging.WARNING)

    async def on_startup(self, app: web.Application) -> None:
        """Begin without a word; the command has said where."""

    async def _make_app(self) -> web.Application:
        app = await super()._make_app()
        app.middlewares.append(self._check)
        return app

    @property
    def _check(self) -> Middleware:
        @web.middleware
        async def check(request: web.Request, handler: Handler) -> web.StreamResponse:
            told = request.query.get("token") or request.cookies.get(COOKIE, "")
            if not hmac.compare_digest(told.encode(), self.token.encode()):
                raise web.HTTPForbidden(text="Open the address that `player serve` printed; it has the token.")
            response = await handler(request)
            if not response.prepared:
                response.headers.update(POLICY)
                if "token" in request.query:
                    response.set_cookie(COOKIE, self.token, httponly=True, samesite="Strict")
            return response

        return check
