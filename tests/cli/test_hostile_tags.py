"""A thousand files whose tags and names are made to take over a terminal: no command shows any of it raw."""

import os
import random
import unicodedata

import pytest

from tests.library.audio_files import encode

pytestmark = pytest.mark.slow

FILES = 1000
ATTACKS = (
    "\x1b[2J\x1b[H", "\x1b]0;owned\x07", "\x1b]8;;http://x\x1b\\link\x1b]8;;\x1b\\", "\x1bP+q544e\x1b\\", "\x9b31m", "\x90x\x9c",
    "\x1b[6n", "\r\n", "\n", "\x08\x08\x08", "\x0e", "\x7f", "\u202e", "\u2066", "\u200b", "\ufeff", "\u2028", "\ufff9",
    "[red]x[/red]", "[/]", "\x00", "a" + "\u0301" * 40, "\U000e0041",
)  # fmt: skip
NAMES = (b"TIT2", b"TPE1", b"TALB", b"TPE2", b"TCON", b"TCOM", b"TIT1", b"TYER", b"TRCK")


def hostile(draw):
    pieces = (draw.choice(ATTACKS) if draw.random() < 0.6 else chr(draw.randrange(0x180)) for _ in range(6))
    return "".join(pieces)


def tag(draw):
    frames = b""
    for name in draw.sample(NAMES, draw.randint(1, len(NAMES))):
        kind, encoding = draw.choice(((0, "latin-1"), (1, "utf-16"), (3, "utf-8")))
        body = bytes([kind]) + hostile(draw).encode(encoding, "replace")
        frames += name + len(body).to_bytes(4, "big") + b"\0\0" + body
    return b"ID3\3\0\0" + bytes(len(frames) >> shift & 0x7F for shift in (21, 14, 7, 0)) + frames


def test_no_command_shows_a_terminal_anything_but_text(player, tmp_path):
    draw = random.Random(7)
    sound = bytearray(encode(tmp_path / "sound.mp3", "mp3", 0.2).read_bytes())
    music = tmp_path / "music"
    music.mkdir()
    for number in range(FILES):
        sound[-8:-4] = number.to_bytes(4, "big")
        name = f"{number} {hostile(draw)}".replace("/", "").replace("\0", "")[:60].encode("utf-8", "replace")
        (music / os.fsdecode(name + b".mp3")).write_bytes(tag(draw) + sound)
    (music / "no\x1b[31m sound.flac").write_bytes(b"nothing")
    (tmp_path / "list.m3u").write_text("#EXTM3U\n#EXTINF:1,\x1b[2J - \x9b31m\nnot \x1b]0;there\x07.mp3\n", "utf-8")
    said = [
        player(*words.split(" "))
        for words in (
            f"scan {music}", "tracks", "tracks --json", "search plays:0", "search \x1b[2J", "library stats", "library exclude \x9b31m",
            "station create \x1b[2Jx --seed library", "station list", "station create y --seed artist:\x1b]0;x\x07", "history",
            f"playlist import {tmp_path / 'list.m3u'} --name a\x1b[2Jb", "playlist list", "next --station x -n 50",
        )
    ]  # fmt: skip
    assert f"{FILES} added" in said[0].out
    assert len(said[2].document) == FILES
    shown = set("".join(one.out + one.err for one in said)) - {"\n"}
    raw = {letter for letter in shown if unicodedata.category(letter) in {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}}
    assert not raw - {"\u200c", "\u200d"}
