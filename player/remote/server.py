"""The server: an event loop in a thread of its own, which hands every command to one other thread, in order."""

import asyncio
import ipaddress
import logging
import os
import socket
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from player.config import RemoteSettings, Settings
from player.errors import PlayerError
from player.folders import Paths
from player.playback.controller import Controller
from player.remote.address import listening_socket, socket_path
from player.remote.commands import run_command
from player.remote.context import Client, Remote
from player.remote.protocol import LONGEST_LINE, VERSION, Ack, AckError, encode, split_words
from player.storage.database import Database

if TYPE_CHECKING:
    from player.remote.mpris import Desktop

logger = logging.getLogger(__name__)

MOST_CLIENTS = 32
"""Connections at once; a phone, a bar and a few scripts are five."""
MOST_LISTED = 10_000
"""Commands in one list; clients add an album or a playlist by one."""
SILENT_SECONDS = 600
"""A client that neither asks nor waits for news is gone by then."""
SLOW_SECONDS = 60
"""So long an answer may take to be read."""
PATIENCE_SECONDS = 5.0
"""So long the desktop's bus may take to answer."""
SUBSYSTEMS = frozenset(
    {"database", "update", "stored_playlist", "playlist", "player", "mixer", "output", "options", "sticker"}
)


@dataclass(eq=False, slots=True)
class _Connection:
    """A client, and the news that it has not been told."""

    client: Client
    news: set[str] = field(default_factory=set[str])
    told: asyncio.Event = field(default_factory=asyncio.Event)


class RemoteServer:
    """Listens for remote controls of one player, from :meth:`start` to :meth:`close`.

    Args:
        player: what they drive.
        database: the listener's data.
        paths: where the socket lies.
        settings: whether the network is listened to as well, and the desktop told.
    """

    def __init__(self, player: Controller, database: Database, paths: Paths, settings: Settings) -> None:
        self._player, self._database, self._paths, self._settings = player, database, paths, settings.remote
        self._desktop_settings = settings.desktop
        self._desktop: Desktop | None = None
        self._pool = ThreadPoolExecutor(1, "remote")
        self._connections: set[_Connection] = set()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stop: asyncio.Event | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._looking = threading.Lock()
        self._begun = threading.Event()
        self._thread = threading.Thread(target=self._run, name="remote-server", daemon=True)
        self._remote: Remote | None = None

    def start(self) -> None:
        """Begin to listen.

        Raises:
            PlayerError: the network is to be listened to, and cannot be.
        """
        sockets = self._sockets()
        self._listening = sockets
        self._player.subscribe(self._changed)
        self._thread.start()

    def close(self) -> None:
        """Leave every client."""
        self._begun.wait()
        if self._loop is not None and self._stop is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join()
        self._pool.shutdown()

    def _sockets(self) -> list[socket.socket]:
        sockets: list[socket.socket] = []
        try:
            sockets.append(listening_socket(socket_path(self._paths.data)))
        except OSError:
            # The music plays all the same.
            logger.exception("No remote control: the socket in %s cannot be made.", self._paths.data)
        if self._settings.port:
            try:
                sockets.append(network_socket(self._settings))
            except PlayerError:
                for made in sockets:
                    made.close()
                raise
        return sockets

    # --- the event loop's thread -----------------------------------------------------------------------------------

    def _run(self) -> None:
        try:
            asyncio.run(self._serve())
        except Exception:
            logger.exception("The remote control has ended; the music goes on.")
        finally:
            self._begun.set()

    async def _serve(self) -> None:
        self._loop, self._stop = asyncio.get_running_loop(), asyncio.Event()
        self._begun.set()
        servers = [
            await asyncio.start_server(self._welcome, sock=made, limit=LONGEST_LINE)
            if made.family != socket.AF_UNIX
            else await asyncio.start_unix_server(self._welcome, sock=made, limit=LONGEST_LINE)
            for made in self._listening
        ]
        if self._desktop_settings.mpris and session_bus():
            await self._enter_desktop()
        await self._stop.wait()
        if self._desktop is not None:
            self._desktop.leave()
        for server in servers:
            server.close()
        for task in asyncio.all_tasks() - {asyncio.current_task()}:
            task.cancel()
        socket_path(self._paths.data).unlink(missing_ok=True)

    async def _enter_desktop(self) -> None:
        """Be on the desktop's bus as well, where that answers."""
        from player.remote.mpris import Desktop  # noqa: PLC0415 - no bus, no library for it

        desktop = Desktop(self._player, self._hand_over, self._paths.cache, notify=self._desktop_settings.notifications)
        try:
            await asyncio.wait_for(desktop.enter(), PATIENCE_SECONDS)
        except Exception:  # the bus may be gone, foreign or broken in any way; the music goes on
            logger.exception("No media keys: the desktop's bus does not answer.")
        else:
            self._desktop = desktop

    def _hand_over(self, call: Callable[[], object]) -> None:
        """Let the commands' thread do what the desktop asks for."""

        def attempt() -> None:
            try:
                call()
            except PlayerError as error:
                logger.warning("What the desktop asked for was refused: %s", error)
            except Exception:
                logger.exception("What the desktop asked for failed.")

        self._pool.submit(attempt)

    async def _welcome(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if len(self._connections) >= MOST_CLIENTS:
            writer.write(AckError(Ack.SYSTEM, "too many clients").line(0, ""))
            writer.close()
            return
        local = writer.get_extra_info("socket").family == socket.AF_UNIX
        connection = _Connection(Client(local, local or not self._settings.password))
        self._connections.add(connection)
        try:
            await self._send(writer, f"OK MPD {VERSION}\n".encode())
            await self._converse(connection, reader, writer)
        except (OSError, TimeoutError, ValueError):
            pass  # gone, or said more in one line than any client does
        except asyncio.CancelledError:
            pass
        finally:
            self._connections.discard(connection)
            writer.close()

    async def _send(self, writer: asyncio.StreamWriter, answer: bytes) -> None:
        writer.write(answer)
        await asyncio.wait_for(writer.drain(), SLOW_SECONDS)

    async def _converse(
        self, connection: _Connection, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        while line := await asyncio.wait_for(reader.readline(), SILENT_SECONDS):
            command = line.decode("utf-8", "replace").rstrip("\r\n")
            # A browser that was led here says GET or POST first; commands are written small.
            if not ("a" <= command[:1] <= "z") or command == "close":
                return
            if command.split(" ")[0] == "idle":
                await self._idle(connection, command, reader, writer)
            elif command in {"command_list_begin", "command_list_ok_begin"}:
                listed = await self._list(reader)
                if listed is None:
                    return
                await self._send(writer, await self._do(connection, listed, each=command == "command_list_ok_begin"))
            elif command != "noidle":
                await self._send(writer, await self._do(connection, [command]))

    async def _list(self, reader: asyncio.StreamReader) -> list[str] | None:
        listed: list[str] = []
        while line := await asyncio.wait_for(reader.readline(), SILENT_SECONDS):
            command = line.decode("utf-8", "replace").rstrip("\r\n")
            if command == "command_list_end":
                return listed
            listed.append(command)
            if len(listed) > MOST_LISTED:
                return None
        return None

    async def _idle(
        self, connection: _Connection, command: str, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        """Wait for news of what was asked for, or for the client to go on."""
        try:
            wanted = _subsystems(connection.client, command)
        except AckError as refusal:
            await self._send(writer, refusal.line(0, "idle"))
            return
        line = asyncio.ensure_future(reader.readline())
        while not (connection.news & wanted or line.done()):
            connection.told.clear()
            told = asyncio.ensure_future(connection.told.wait())
            await asyncio.wait({line, told}, return_when=asyncio.FIRST_COMPLETED)
            told.cancel()
        # Before the news are told: what the client says to them is no longer for this reader.
        line.cancel()
        await asyncio.wait({line})
        if not line.cancelled() and line.result().strip() != b"noidle":
            raise ConnectionResetError
        news = connection.news & wanted
        connection.news -= news
        await self._send(writer, b"".join(f"changed: {name}\n".encode() for name in sorted(news)) + b"OK\n")

    # --- the commands' thread --------------------------------------------------------------------------------------

    async def _do(self, connection: _Connection, commands: Sequence[str], *, each: bool = False) -> bytes:
        assert self._loop is not None
        return await self._loop.run_in_executor(self._pool, self._answer, connection.client, commands, each)

    def _answer(self, client: Client, commands: Sequence[str], each: bool) -> bytes:  # noqa: FBT001 - as it goes to the executor
        """Carry commands out one after the other until one is refused."""
        remote = self._surroundings()
        answer = b""
        for place, command in enumerate(commands):
            name = command.split(" ")[0][:40]
            try:
                remote.queue.look(remote.snapshot)
                answer += encode(run_command(remote, client, split_words(command)))
            except AckError as error:
                return answer + error.line(place, name)
            except PlayerError as error:
                return answer + AckError(Ack.SYSTEM, str(error)).line(place, name)
            except Exception:
                logger.exception("The remote command %s failed.", name)
                return answer + AckError(Ack.SYSTEM, "that failed unexpectedly; the player's log says more").line(
                    place, name
                )
            answer += b"list_OK\n" if each else b""
        return answer + b"OK\n"

    def _surroundings(self) -> Remote:
        if self._remote is None:
            self._remote = Remote(self._player, self._database, self._settings.password)
        return self._remote

    # --- news ------------------------------------------------------------------------------------------------------

    def _changed(self) -> None:
        """Something changed in the player: have a look, once for as many changes as come meanwhile."""
        if self._looking.acquire(blocking=False):
            try:
                self._pool.submit(self._look)
            except RuntimeError:  # it is being closed
                self._looking.release()

    def _look(self) -> None:
        self._looking.release()
        try:
            news = self._surroundings().look()
        except Exception:
            logger.exception("What changed cannot be told to the remote controls.")
            return
        if news and self._loop is not None:
            try:
                self._loop.call_soon_threadsafe(self._tell, news)
            except RuntimeError:  # the loop has ended
                return

    def _tell(self, news: set[str]) -> None:
        for connection in self._connections:
            connection.news |= news
            connection.told.set()
        if self._desktop is not None and news & {"player", "mixer", "sticker"}:
            task = asyncio.ensure_future(self._desktop.look(jumped="player" in news))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)


def session_bus() -> bool:
    """Whether there is a desktop to be on the bus of."""
    return "DBUS_SESSION_BUS_ADDRESS" in os.environ or Path(f"/run/user/{os.getuid()}/bus").exists()


def _subsystems(client: Client, command: str) -> set[str] | frozenset[str]:
    """What a client wants news of.

    Raises:
        AckError: the password is still to be told, or a quote is in the wrong place.
    """
    if not client.allowed:
        raise AckError(Ack.PERMISSION, "you don't have permission for “idle”; tell the password first")
    return set(split_words(command)[1:]) or SUBSYSTEMS


def network_socket(settings: RemoteSettings) -> socket.socket:
    """A socket on the network, on this machine alone unless another address is named in the settings.

    Raises:
        PlayerError: the address is no number, is open to others without a password, or cannot be had.
    """
    address, port = settings.address, settings.port
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        raise PlayerError(f"remote.address is {address!r}, which is no address; write 127.0.0.1.") from None
    if not parsed.is_loopback and not settings.password:
        raise PlayerError(
            f"remote.address is {address}, which others can reach; set remote.password too, or write 127.0.0.1."
        )
    family = socket.AF_INET6 if parsed.version == 6 else socket.AF_INET  # noqa: PLR2004 - the version's name
    made = socket.socket(family)
    try:
        made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        made.bind((address, port))
        made.listen()  # whoever comes before the loop runs waits
    except OSError as error:
        made.close()
        raise PlayerError(
            f"Port {port} of {address} cannot be listened to ({error.strerror or error}); choose another remote.port."
        ) from error
    return made
