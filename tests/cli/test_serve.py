"""``player serve``: nothing without the token; with it, what the screen draws comes over the web socket, and a browser shows it."""

import asyncio
import json
import shutil
import socket
import subprocess
import sys
from contextlib import asynccontextmanager
from itertools import count

import pytest
from aiohttp import ClientSession, CookieJar

PATIENCE_SECONDS = 90.0


@asynccontextmanager
async def served(demo):
    """The address that is printed."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    (demo.paths.data / "config.toml").write_text('[audio]\nengine = "null"\n')
    command = [sys.executable, "-m", "player", "serve", "--port", str(port), "--data-dir", str(demo.paths.data)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as serving:  # noqa: ASYNC220 - it is over at once
        try:
            yield (await asyncio.to_thread(serving.stdout.readline)).split()[1]
        finally:
            serving.terminate()


class Browser:
    """A page of headless Chromium, driven by its DevTools protocol."""

    def __init__(self, socket):
        self._socket = socket
        self._numbers = count(1)
        self._session = {}

    @staticmethod
    @asynccontextmanager
    async def opened(client, profile):
        flags = [
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            "--remote-debugging-port=0",
            f"--user-data-dir={profile}",
        ]
        browser = await asyncio.create_subprocess_exec("chromium", *flags, stderr=subprocess.PIPE)
        try:
            async for line in browser.stderr:
                if line.startswith(b"DevTools listening on "):
                    break
            async with client.ws_connect(line.split()[-1].decode(), max_msg_size=0) as devtools:
                page = Browser(devtools)
                target = await page.ask("Target.createTarget", url="about:blank")
                session = await page.ask("Target.attachToTarget", targetId=target["targetId"], flatten=True)
                page._session = {"sessionId": session["sessionId"]}
                yield page
        finally:
            browser.terminate()
            await browser.communicate()

    async def ask(self, method, **params):
        number = next(self._numbers)
        await self._socket.send_json({"id": number, "method": method, "params": params, **self._session})
        while True:
            answer = await self._socket.receive_json()
            if answer.get("id") == number:
                return answer["result"]

    async def value(self, expression, *, wait=False):
        told = await self.ask("Runtime.evaluate", expression=expression, awaitPromise=wait)
        return told["result"].get("value")

    async def until(self, expression):
        """Until it is true, within the browser."""
        waiting = f"new Promise(done => {{const look = () => ({expression}) ? done() : setTimeout(look, 200); look()}})"
        await self.value(waiting, wait=True)


@pytest.mark.slow
@pytest.mark.skipif(not shutil.which("chromium"), reason="needs the browser chromium")
async def test_a_browser_shows_the_screen_to_who_has_the_token_alone(demo, tmp_path):
    async with served(demo) as address, ClientSession() as client, asyncio.timeout(PATIENCE_SECONDS):
        await _answer(client, address)
        async with Browser.opened(client, tmp_path / "profile") as page:
            await page.ask("Page.navigate", url=address.partition("?")[0])
            await page.until("document.body && document.body.innerText.includes('Open the address')")
            assert not await page.value("document.querySelector('.xterm') !== null")
            await page.ask("Page.navigate", url=address)
            await page.until("document.querySelector('.xterm') && document.body.classList.contains('-first-byte')")
            # Keys typed in the page reach the player of this data folder, which asks for a station first.
            await page.value("document.querySelector('.xterm-helper-textarea').focus()")
            enter = {"key": "Enter", "code": "Enter", "windowsVirtualKeyCode": 13, "text": "\r"}
            for _ in range(100):
                await page.ask("Input.dispatchKeyEvent", type="keyDown", **enter)
                if (told := await _status(demo)) and told["state"] == "playing":
                    break
            assert told["station"] == "Evening"
            assert told["state"] == "playing"


@pytest.mark.slow
async def test_the_screen_is_shown_to_who_has_the_token(demo):
    async with served(demo) as address:
        base = address.partition("/?")[0]
        async with ClientSession(
            cookie_jar=CookieJar(unsafe=True)
        ) as client:  # of an address of digits, as browsers do
            page = await _answer(client, address)
            async with client.get(address) as response:
                policy = response.headers["Content-Security-Policy"]
            assert "data-session-websocket-url" in page
            async with ClientSession() as stranger, stranger.get(f"{base}/ws") as refused:
                assert refused.status == 403
                assert "default-src 'self'" in policy
            async with client.ws_connect(f"{base}/ws?width=100&height=30") as drawn:
                async with asyncio.timeout(60):
                    text = b""
                    while b"Up next" not in text:
                        text += (await drawn.receive()).data or b""


async def _status(demo):
    """What the player that runs on the data folder says of itself."""
    command = [sys.executable, "-m", "player", "status", "--json", "--data-dir", str(demo.paths.data)]
    asked = await asyncio.create_subprocess_exec(*command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    told, _ = await asked.communicate()
    return json.loads(told) if told else None


async def _answer(client, address):
    for _ in range(200):
        try:
            async with client.get(address) as response:
                return await response.text()
        except OSError:
            await asyncio.sleep(0.1)
    return ""
