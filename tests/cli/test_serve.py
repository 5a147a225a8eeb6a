"""``player serve``: nothing without the token; with it, what the screen draws comes over the web socket."""

import asyncio
import socket
import subprocess
import sys

import pytest
from aiohttp import ClientSession, CookieJar


@pytest.mark.slow
async def test_the_screen_is_shown_to_who_has_the_token(demo):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    (demo.paths.data / "config.toml").write_text('[audio]\nengine = "null"\n')
    command = [sys.executable, "-m", "player", "serve", "--port", str(port), "--data-dir", str(demo.paths.data)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as serving:  # noqa: ASYNC220 - it is over at once
        address = (await asyncio.to_thread(serving.stdout.readline)).split()[1]
        base = address.partition("/?")[0]
        try:
            async with ClientSession(
                cookie_jar=CookieJar(unsafe=True)
            ) as client:  # of an address of digits, as browsers do
                page = await _answer(client, address)
                assert "data-session-websocket-url" in page
                async with ClientSession() as stranger, stranger.get(f"{base}/ws") as refused:
                    assert refused.status == 403
                async with client.ws_connect(f"{base}/ws?width=100&height=30") as drawn:
                    async with asyncio.timeout(60):
                        text = b""
                        while b"Up next" not in text:
                            text += (await drawn.receive()).data or b""
        finally:
            serving.terminate()


async def _answer(client, address):
    for _ in range(200):
        try:
            async with client.get(address) as response:
                return await response.text()
        except OSError:
            await asyncio.sleep(0.1)
    return ""
