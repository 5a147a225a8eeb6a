"""The desktop's bus, a real one, with playerctl."""

import shutil
import subprocess
import time

import pytest

pytestmark = pytest.mark.skipif(
    not (shutil.which("playerctl") and shutil.which("dbus-daemon")),
    reason="playerctl or dbus-daemon is not installed (Debian: apt-get install playerctl dbus-daemon)",
)


@pytest.fixture
def bus(monkeypatch):
    with subprocess.Popen(
        ["dbus-daemon", "--session", "--nofork", "--print-address"], stdout=subprocess.PIPE, text=True
    ) as daemon:
        monkeypatch.setenv("DBUS_SESSION_BUS_ADDRESS", daemon.stdout.readline().strip())
        yield
        daemon.terminate()


def playerctl(*words):
    done = subprocess.run(["playerctl", *words], capture_output=True, text=True, timeout=30, check=False)
    return (done.stdout or done.stderr).strip()


def until(met):
    for _ in range(400):
        if met():
            return
        time.sleep(0.05)
    pytest.fail("it never came")


def test_playerctl_plays_a_session(bus, running):
    until(lambda: playerctl("-l") == "skipwise")
    now = running.snapshot().now
    assert playerctl("status") == "Playing"
    assert playerctl("metadata", "title") == now.track.title
    assert playerctl("metadata", "xesam:url").startswith("file:///")
    playerctl("pause")
    until(lambda: playerctl("status") == "Paused")
    playerctl("position", "7")
    until(lambda: running.snapshot().now.position == pytest.approx(7, abs=0.01))
    playerctl("volume", "0.4")
    until(lambda: running.snapshot().volume == pytest.approx(0.4))
    running.thumb(1)
    until(lambda: playerctl("metadata", "xesam:userRating") == "1.0")
    playerctl("next")
    until(lambda: running.snapshot().now.track.id != now.track.id)
    assert playerctl("metadata", "title") == running.snapshot().now.track.title
    assert "cannot be opened" in playerctl("open", "/etc/passwd")
