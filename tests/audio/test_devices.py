import json
import subprocess
import sys

import pytest

from player.audio.devices import sound_findings
from player.audio.messages import Finished, Load, Ready

LIST_FINDINGS = (
    "import json, dataclasses\n"
    "{before}\n"
    "from player.audio.devices import sound_findings\n"
    "print(json.dumps([dataclasses.asdict(finding) for finding in sound_findings()]))\n"
)


def findings_in_a_fresh_process(environment=None, before=""):
    script = LIST_FINDINGS.format(before=before)
    done = subprocess.run([sys.executable, "-c", script], env=environment, capture_output=True, check=True, timeout=30)
    return {finding["name"]: finding for finding in json.loads(done.stdout)}


def test_every_finding_that_is_not_well_has_a_mend_and_every_other_none():
    findings = sound_findings()
    assert [finding.name for finding in findings] == ["decoder", "portaudio", "output device", "libvlc"]
    assert findings[0].ok
    for finding in findings:
        assert finding.detail
        assert bool(finding.fix) != finding.ok


@pytest.mark.slow
@pytest.mark.sound
def test_a_sound_server_is_found_as_the_default_device(pulse):
    found = findings_in_a_fresh_process(pulse.environment)["output device"]
    assert found["ok"]
    assert "default" in found["detail"]


@pytest.mark.slow
@pytest.mark.sound
def test_without_a_sound_server_the_mend_names_one(pulse, tmp_path):
    nowhere = {**pulse.environment, "PULSE_RUNTIME_PATH": str(tmp_path), "PULSE_SERVER": f"unix:{tmp_path}/none"}
    found = findings_in_a_fresh_process(nowhere)["output device"]
    if found["ok"]:
        pytest.skip("this machine has a sound card of its own")
    assert "PulseAudio" in found["fix"]


@pytest.mark.slow
def test_missing_libraries_are_findings_with_an_installation_line_not_errors():
    hide = (
        "import ctypes, ctypes.util\n"
        "class Hidden(ctypes.CDLL):\n"
        "    def __init__(self, name, *args, **options):\n"
        "        if name is None or 'vlc' in name: raise OSError('no such library')\n"
        "        super().__init__(name, *args, **options)\n"
        "ctypes.CDLL = Hidden\n"
        "ctypes.util.find_library = lambda _name: None\n"
    )
    found = findings_in_a_fresh_process(before=hide)
    for name, package in (("portaudio", "libportaudio2"), ("output device", "libportaudio2"), ("libvlc", "libvlc5")):
        assert not found[name]["ok"]
        assert package in found[name]["fix"]


@pytest.mark.slow
@pytest.mark.sound
def test_vlc_finds_its_devices_by_part_of_their_names(pulse, start_client):
    _client, events = start_client("vlc", device="null output", environment=pulse.environment)
    ready = events.wait_for(Ready)
    assert (ready.engine, ready.note) == ("vlc", "")
    assert "null output" in ready.device.lower()


@pytest.mark.sound
def test_the_devices_of_a_sound_server_are_listed_with_the_default_and_silence(pulse):
    command = [sys.executable, "-m", "player", "devices", "--json"]
    done = subprocess.run(command, env=pulse.environment, capture_output=True, check=True, timeout=30)
    found = json.loads(done.stdout)
    assert [one["name"] for one in found if one["default"]] == ["default"]
    assert {one["engine"] for one in found} == {"stream", "null"}
    assert all(one["rate"] > 0 for one in found)


@pytest.mark.slow
@pytest.mark.sound
@pytest.mark.parametrize(
    ("asked", "module", "other", "words"),
    [
        ("vlc", "vlc", "stream", "The VLC library was not found"),
        ("auto", "sounddevice", "vlc", "The PortAudio library was not found"),
    ],
)
def test_where_a_library_is_missing_that_is_said_and_the_other_engine_plays(
    pulse, start_client, tmp_path, tones, asked, module, other, words
):
    (tmp_path / f"{module}.py").write_text("raise OSError('no such library')\n")
    client, events = start_client(asked, environment={**pulse.environment, "PYTHONPATH": str(tmp_path)})
    ready = events.wait_for(Ready)
    assert ready.engine == other
    assert ready.note.startswith(words)
    assert ready.note.endswith("plays instead.")
    client.send(Load(str(tones / "short.flac"), 0.0, 1, True))
    events.wait_for(Finished)


@pytest.mark.sound
def test_an_open_device_keeps_its_own_plug_ins_only(pulse):
    script = (
        "from pathlib import Path\n"
        "from player.audio.portaudio import PortAudioOutput\n"
        "output = PortAudioOutput()\n"
        "listed = Path('/proc/self/maps').read_text()\n"
        "output.start(lambda out: out.fill(0))\n"
        "print('libavcodec' in listed, 'libavcodec' in Path('/proc/self/maps').read_text())\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], env=pulse.environment, capture_output=True, check=True, text=True
    )
    before, after = done.stdout.split()[-2:]
    if before == "False":
        pytest.skip("ALSA has no plug-in here that brings FFmpeg")
    assert after == "False"
