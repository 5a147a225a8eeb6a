"""The log: printable lines, bounded, private, and shared by several processes."""

import logging
import os
import stat
import subprocess
import sys
import threading

import pytest

from player import logs


@pytest.fixture
def log(tmp_path):
    """A log file of this process; its handler is taken away at the end."""
    root = logging.getLogger()
    before, level, hook = root.handlers[:], root.level, threading.excepthook
    file = tmp_path / "player.log"
    logs.log_to_file(file)
    yield file
    for handler in [handler for handler in root.handlers if handler not in before]:
        root.removeHandler(handler)
        handler.close()
    root.setLevel(level)
    threading.excepthook = hook


def test_nothing_is_opened_before_there_is_something_to_say(log):
    assert not log.exists()
    logging.getLogger("player.part").warning("Something.")
    (line,) = log.read_text().splitlines()
    assert line.endswith(f" {os.getpid()} WARNING player.part: Something.")


def test_only_the_owner_may_read_it(log):
    former = os.umask(0)
    try:
        logging.getLogger("player").warning("Something.")
    finally:
        os.umask(former)
    assert stat.S_IMODE(log.stat().st_mode) == 0o600


def test_a_tag_forges_no_line_and_reaches_no_terminal(log):
    tag = "song\n2030-01-01 1 ERROR player: forged\x1b]0;title\x07\u202e\udcff" + "x" * 10_000
    try:
        int(tag)
    except ValueError:
        logging.getLogger("player").exception("Reading %s failed.", tag)
    text = log.read_text()
    assert all(letter.isprintable() or letter == "\n" for letter in text)
    first, *traceback = text.splitlines()
    assert "song 2030-01-01" in first
    assert len(first) < 2 * logs.LONGEST_MESSAGE
    assert traceback
    assert all(line.startswith("    ") for line in traceback)
    assert "ValueError" in text


@pytest.mark.slow
def test_it_stays_small(log, monkeypatch):
    monkeypatch.setattr(logs, "MAX_BYTES", 5_000)
    logs.log_to_file(log)
    for number in range(1_000):
        logging.getLogger("player").warning("Trouble number %d.", number)
    files = sorted(log.parent.glob("player.log*"))
    assert len(files) == 1 + logs.BACKUPS
    assert all(file.stat().st_size <= 5_000 for file in files)
    assert all(stat.S_IMODE(file.stat().st_mode) == 0o600 for file in files)
    assert "number 999" in log.read_text()


def test_a_file_that_another_process_rotated_away_is_left(log):
    logging.getLogger("player").warning("Before.")
    log.rename(log.with_suffix(".log.1"))
    logging.getLogger("player").warning("After.")
    assert "After." in log.read_text()
    assert "After." not in log.with_suffix(".log.1").read_text()


def test_a_disk_that_refuses_is_not_told_over_the_screen(tmp_path, capsys, log):
    (tmp_path / "file").touch()
    logs.log_to_file(tmp_path / "file" / "player.log")
    logging.getLogger("player").error("Nobody hears this.")
    assert capsys.readouterr() == ("", "")


def test_a_thread_that_dies_leaves_its_reason(tmp_path):
    script = (
        "import sys, threading; from pathlib import Path; from player import logs\n"
        "logs.log_to_file(Path(sys.argv[1]))\n"
        "thread = threading.Thread(target=lambda: 1 / 0, name='worker'); thread.start(); thread.join()\n"
    )
    done = subprocess.run([sys.executable, "-c", script, tmp_path / "log"], capture_output=True, check=True)
    assert done.stderr == b""
    assert "The thread worker died." in (tmp_path / "log").read_text()
    assert "ZeroDivisionError" in (tmp_path / "log").read_text()


def test_what_a_child_says_is_logged_line_by_line(log):
    script = "import sys; sys.stderr.write('one\\n\\x1b[31mtwo\\n' + 'x' * 100_000)"
    child = subprocess.Popen([sys.executable, "-c", script], stderr=subprocess.PIPE)
    logs.follow(child.stderr, "child").join(20)
    child.wait()
    first, second, *rest = log.read_text().splitlines()
    assert first.endswith("WARNING player.child: one")
    assert second.endswith("?[31mtwo")
    assert max(map(len, rest)) < 2 * logs.LONGEST_MESSAGE


def test_a_child_that_dies_of_itself_leaves_its_traceback(log):
    script = "from player import logs; logs.log_to_parent(); import logging; logging.getLogger('x').error('Bad luck.')"
    child = subprocess.Popen([sys.executable, "-c", script], stderr=subprocess.PIPE)
    logs.follow(child.stderr, "child").join(20)
    child.wait()
    assert "ERROR x: Bad luck." in log.read_text()
