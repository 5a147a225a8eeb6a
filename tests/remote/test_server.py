"""What a client that is no friend can do: nothing."""

import os
import socket
import stat

import pytest

from player.config import RemoteSettings, Settings
from player.errors import PlayerError
from player.remote.address import AlreadyRunningError, only_player, short_address, socket_path
from player.remote.protocol import LONGEST_LINE, AckError, split_words
from player.remote.server import MOST_CLIENTS, RemoteServer, network_socket


def connect(running):
    made = socket.socket(socket.AF_UNIX)
    made.settimeout(20)
    with short_address(socket_path(running.home.paths.data)) as address:
        made.connect(address)
    return made


def converse(running, sent):
    """All that is answered to bytes until the player hangs up or has nothing more to say."""
    with connect(running) as made, made.makefile("rb") as file:
        assert file.readline().startswith(b"OK MPD 0.")
        made.sendall(sent)
        made.shutdown(socket.SHUT_WR)
        return file.read()


@pytest.mark.parametrize(
    ("sent", "answer"),
    [
        (b"ping\n", b"OK\n"),
        (b"GET / HTTP/1.1\nclear\n", b""),
        (b" ping\n", b""),
        (b"\xff\xfe\n", b""),
        (b"a" * (LONGEST_LINE + 10) + b"\n", b""),
        (b"status " + b"x " * 50 + b"\n", b'ACK [2@0] {status} wrong number of arguments for "status"\n'),
        (b"kill\n", b'ACK [5@0] {kill} unknown command "kill"\n'),
        (b'find artist "x\n', b"ACK [2@0] {find} a quote is missing or in the wrong place\n"),
        (b"find artist\n", "ACK [2@0] {find} there is no value for “artist”\n".encode()),
        (b"seekcur nan\n", "ACK [2@0] {seekcur} “nan” is no number\n".encode()),
        (b"command_list_begin\nstatus\n", b""),
        (b"command_list_begin\n" + b"ping\n" * 10_001, b""),
        (b"noidle\nping\n", b"OK\n"),
        (b"password x\n", b"ACK [3@0] {password} incorrect password\n"),
        (
            b'find "' + b"(" * 1000 + b'"\n',
            b"ACK [2@0] {find} a filter has no more than 32 brackets within each other\n",
        ),
        (b"find \"(artist =~ '(a+)+$')\"\n", None),
        (b"albumart ../../etc/passwd 0\n", "ACK [50@0] {albumart} there is no track “../../etc/passwd”\n".encode()),
    ],
)
def test_odd_requests_get_an_error_or_the_end_and_the_next_client_is_served(running_for_all, sent, answer):
    got = converse(running_for_all, sent)
    assert got.startswith(b"ACK [2@0]") if answer is None else got == answer
    assert converse(running_for_all, b"ping\n") == b"OK\n"


def test_connections_are_limited(running_for_all):
    kept = [connect(running_for_all) for _ in range(MOST_CLIENTS)]
    for each in kept:
        assert each.recv(100).startswith(b"OK MPD")
    with connect(running_for_all) as one_more:
        assert b"too many clients" in one_more.recv(100)
    for each in kept:
        each.close()


def test_the_socket_is_for_nobody_else_and_goes_with_the_player(running_for_all):
    path = socket_path(running_for_all.home.paths.data)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_a_second_player_on_a_data_folder_is_refused(tmp_path):
    data = tmp_path / "data"
    already = pytest.raises(AlreadyRunningError, match=f"process {os.getpid()}")
    with only_player(data), already, only_player(data):
        pass
    with only_player(data):
        assert (data / "player.lock").exists()


def test_the_network_asks_for_the_password(running_for_all):
    free = network_socket(RemoteSettings(port=0))
    port = free.getsockname()[1]
    free.close()
    network = RemoteSettings(port=port, password="secret")
    server = RemoteServer(
        running_for_all, running_for_all.home.database, running_for_all.home.paths, Settings(remote=network)
    )
    server.start()
    try:
        with socket.create_connection(("127.0.0.1", port), 20) as made, made.makefile("rb") as file:
            made.sendall(b"status\nidle\npassword wrong\npassword secret\ngetvol\nconfig\n")
            lines = [file.readline().decode() for _ in range(8)]
    finally:
        server.close()
    assert [line[:9] for line in lines[1:5]] == ["ACK [4@0]", "ACK [4@0]", "ACK [3@0]", "OK\n"]
    assert lines[5:7] == ["volume: 100\n", "OK\n"]
    assert lines[7].startswith("ACK [4@0]"), "where the music lies is told to programs of this machine alone"


@pytest.mark.parametrize("address", ["0.0.0.0", "::", "192.0.2.1", "example.org"])
def test_other_addresses_are_refused_without_being_asked_for(address):
    with pytest.raises(PlayerError, match=r"remote\.address"):
        network_socket(RemoteSettings(port=6600, address=address))


def test_a_long_path_gets_a_short_address(tmp_path):
    folder = tmp_path / ("long" * 40)
    folder.mkdir()
    with socket.socket(socket.AF_UNIX) as made, short_address(socket_path(folder)) as address:
        made.bind(address)
    assert socket_path(folder).is_socket()


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("status", ["status"]),
        ('find artist "a \\"b\\" \\\\c"', ["find", "artist", 'a "b" \\c']),
        ("add\tx  y ", ["add", "x", "y"]),
        ('x ""', ["x", ""]),
    ],
)
def test_words_of_a_line(line, words):
    assert split_words(line) == words


@pytest.mark.parametrize("line", ['a "b', 'a "b"c', "a b'c", 'a b"c"'])
def test_quotes_have_their_places(line):
    with pytest.raises(AckError):
        split_words(line)
