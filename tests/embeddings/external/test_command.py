"""Front-ends that are a program of the user's: real programs, started and asked, good and bad."""

import os
import re
import signal
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest

from embeddings.errors import EmbeddingError
from embeddings.external.command import MAX_LINE_BYTES, CommandFrontEnd, load_command, read_vectors
from embeddings.external.command_line import command_module, parse_command, variable
from embeddings.networks.specs import MULE
from embeddings.pipeline import embed_file, embed_many
from embeddings.registry import available, frontend_module, frontend_spec, name_command
from embeddings.spec import FrontEndSpec, State
from embeddings.weights.files import PackageWeights

pytestmark = pytest.mark.slow

DOCUMENT = Path(__file__).parents[3] / "docs" / "research" / "front-ends.md"
SPEC = FrontEndSpec("quarters", "1", 8_000, 1, 8_000, 4, PackageWeights("none", "https://example.org", "CC0-1.0"))

BEGINNING = """
import json, os, sys, time
import numpy as np
count = 0
def say(message): print(message if isinstance(message, str) else json.dumps(message), flush=True)
def vectors(ask): return np.abs(np.load(ask["audio"])).reshape(-1, 4, 2000).mean(axis=2)
"""
LOOP = """
say({"ready": True, "dimension": 4})
for line in sys.stdin:
    ask = json.loads(line)
    count += 1
    ANSWER
"""
GOOD = 'np.save(ask["vectors"], vectors(ask).astype("float32")); say({"done": True})'
"""How loud each quarter of each second is."""


@pytest.fixture
def program(tmp_path):
    """Writes a program and gives the command that runs it."""

    def program(answer=GOOD, loop=LOOP):
        path = tmp_path / "program.py"
        path.write_text(BEGINNING + loop.replace("ANSWER", answer))
        return (sys.executable, str(path))

    return program


@pytest.fixture
def frontend(program):
    """Opens the front-end of a program, and closes it whatever happens."""
    opened = []

    def frontend(*written, **limits):
        opened.append(CommandFrontEnd(SPEC, program(*written), **limits))
        return opened[-1]

    yield frontend
    for one in opened:
        one.close()


def alive(process):
    """Whether a process runs; one that is dead but not yet reaped by its parent does not."""
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def gone(processes, seconds=10.0):
    until = time.monotonic() + seconds
    while any(map(alive, processes)) and time.monotonic() < until:
        time.sleep(0.02)
    return not any(map(alive, processes))


linux = pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="looks for processes in /proc")


# --- A good program -----------------------------------------------------------------------------------------------


def test_a_programs_vectors_are_the_front_ends(frontend, sound):
    audio = sound(3.0, 8_000)
    heard = frontend().embed(audio)
    np.testing.assert_array_equal(heard.windows, np.abs(audio).reshape(-1, 4, 2000).mean(axis=2))
    assert (heard.windows.dtype, heard.tags.shape) == (np.float32, (3, 0))


def test_it_is_started_once_and_asked_again_and_again(frontend, sound):
    once = frontend('np.save(ask["vectors"], np.float32([[os.getpid() % 1000, count, 0, 0]])); say({"done": True})')
    answers = [once.embed(sound(1.0, 8_000)).windows[0] for _ in range(3)]
    assert [answer[1] for answer in answers] == [1, 2, 3]
    assert len({answer[0] for answer in answers}) == 1


def test_audio_shorter_than_a_window_is_repeated_until_it_fills_one(frontend, sound):
    audio = sound(0.4, 8_000)
    expected = np.abs(np.resize(audio, 8_000)).reshape(1, 4, 2000).mean(axis=2)
    np.testing.assert_array_equal(frontend().embed(audio).windows, expected)


def test_one_vector_alone_is_one_window_and_other_floats_become_float32(frontend, sound):
    alone = frontend('np.save(ask["vectors"], vectors(ask)[0].astype("float64")); say({"done": True})')
    assert alone.embed(sound(2.0, 8_000)).windows.shape == (1, 4)


def test_it_is_told_the_sample_rate_and_gets_nothing_that_a_shell_would_make(program, sound):
    words = ("$HOME", ";", "touch was-run", "*", "a b")
    answer = f"assert ask['sample_rate'] == 8000 and sys.argv[1:] == {list(words)!r}; {GOOD}"
    with closing(load_command(SPEC, (*program(answer), *words))) as told:
        assert told.embed(sound(1.0, 8_000)).windows.shape == (1, 4)


def test_a_talkative_program_is_not_held_up(frontend, sound):
    talkative = frontend(f"sys.stderr.write('x' * 1_000_000); {GOOD}", answer_seconds=20.0)
    assert talkative.embed(sound(1.0, 8_000)).windows.shape == (1, 4)


def test_no_sound_is_left_behind(frontend, sound, tmp_path, monkeypatch):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    before = set(tmp_path.iterdir())
    asked = frontend()
    asked.embed(sound(1.0, 8_000))
    assert set(tmp_path.iterdir()) - before == {tmp_path / "program.py"}


# --- Bad programs -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        ('say({"error": "no\\x1b[31m luck\\nat all"})', r"could not embed the audio: no \[31m luck at all"),
        ('say({"error": "x" * 5000})', "x{300}…$"),
        ('say({"done": False})', "neither done nor an error"),
        ('say({"done": 1})', "neither done nor an error"),
        ('say({"done": True})', "wrote no vectors"),
        ('say("Loading model…")', "no JSON: Loading model…; only its answers"),
        ('say("[" * 60_000)', "no JSON"),
        ("say([1, 2])", r"no JSON object: \[1, 2\]"),
        ("sys.stdout.write('x' * 200_000); sys.stdout.flush(); time.sleep(60)", f"more than {MAX_LINE_BYTES} bytes"),
        ("sys.exit('out of\\tmemory')", "ended with exit code 1: out of memory"),
        ("os.kill(os.getpid(), 9)", "ended with exit code 137: it said nothing"),
        ("os.close(1); time.sleep(60)", "closed its standard output"),
        ("time.sleep(60)", "did not answer within 2 s"),
    ],
)
def test_a_bad_answer_is_that_audios_error_in_a_sentence(frontend, sound, monkeypatch, answer, reason):
    monkeypatch.setattr("embeddings.external.command.GOODBYE_SECONDS", 1.0)
    bad = frontend(answer, answer_seconds=2.0 if "60)" in answer else 30.0)
    with pytest.raises(EmbeddingError, match=reason) as refusal:
        bad.embed(sound(1.0, 8_000))
    assert str(refusal.value).isprintable()


def test_lines_that_nobody_asked_for_are_not_taken_for_the_next_answer(frontend, sound):
    two_lines = 'np.save(ask["vectors"], vectors(ask)); print(json.dumps({"done": True}) + chr(10) + "{}", flush=True)'
    chatty = frontend(two_lines)
    chatty.embed(sound(1.0, 8_000))
    with pytest.raises(EmbeddingError, match="more lines than it was asked for"):
        chatty.embed(sound(1.0, 8_000))


@pytest.mark.parametrize(
    ("loop", "reason"),
    [
        ("import absent_network", "ended with exit code 1: ModuleNotFoundError: No module named 'absent_network'"),
        ("time.sleep(60)", "did not answer within 1 s"),
        ('say({"ready": False})', "did not say that it is ready"),
        ('say("hello")', "no JSON: hello"),
        ('say({"ready": True})', "vectors of null numbers where quarters has 4"),
        ('say({"ready": True, "dimension": 512})', "vectors of 512 numbers where quarters has 4"),
    ],
)
def test_a_program_that_does_not_get_ready_is_told_before_any_audio(frontend, loop, reason):
    bad = frontend("", loop, start_seconds=1.0 if "sleep" in loop else 30.0)
    with pytest.raises(EmbeddingError, match=reason):
        bad.start()


def test_after_a_crash_the_next_audio_starts_it_again(frontend, sound, tmp_path):
    mark = tmp_path / "crashed"
    crash = f"mark = {str(mark)!r}; os.path.exists(mark) or (open(mark, 'w'), os._exit(7)); {GOOD}"
    fragile = frontend(crash)
    with pytest.raises(EmbeddingError, match="exit code 7"):
        fragile.embed(sound(1.0, 8_000))
    assert fragile.embed(sound(1.0, 8_000)).windows.shape == (1, 4)


@pytest.mark.parametrize(
    ("save", "reason"),
    [
        (lambda path: np.save(path, np.zeros((3, 5), np.float32)), r"shape \(3, 5\) where \(windows, 4\)"),
        (lambda path: np.save(path, np.zeros((0, 4), np.float32)), "shape"),
        (lambda path: np.save(path, np.zeros((1, 1, 4), np.float32)), "shape"),
        (lambda path: np.save(path, np.float32(1.0)), "shape"),
        (lambda path: np.save(path, np.zeros((100_001, 4), np.float16)), "shape"),
        (lambda path: np.save(path, np.zeros((3, 4), np.int64)), "int64 where float32"),
        (lambda path: np.save(path, np.zeros((3, 4), np.complex64)), "complex64 where float32"),
        (lambda path: np.save(path, np.full((3, 4), np.nan, np.float32)), "no finite numbers"),
        (lambda path: np.save(path, np.full((3, 4), 1e300)), "no finite numbers"),
        (lambda path: np.save(path, np.array([[object()] * 4])), "cannot be read"),
        (lambda path: path.write_bytes(b""), "cannot be read"),
        (lambda path: path.write_bytes(b"not an array at all"), "cannot be read"),
        (lambda path: path.write_bytes(npy_claiming(10**12)), "cannot be read"),
        (lambda path: path.write_bytes(npy_claiming(5)), "cannot be read"),
        (lambda path: np.savez(path.with_suffix(".npz"), np.zeros(4)), "wrote no vectors"),
        (os.mkfifo, "wrote no vectors"),
        (lambda path: path.mkdir(), "wrote no vectors"),
    ],
)
def test_vectors_that_are_none_are_refused(tmp_path, save, reason):
    path = tmp_path / "vectors.npy"
    save(path)
    with pytest.raises(EmbeddingError, match=reason):
        read_vectors(path, 4)


def test_an_archive_of_arrays_is_refused(tmp_path):
    np.savez(tmp_path / "a.npz", np.zeros((1, 4), np.float32))
    (tmp_path / "a.npz").rename(tmp_path / "vectors.npy")
    with pytest.raises(EmbeddingError, match="cannot be read"):
        read_vectors(tmp_path / "vectors.npy", 4)


def npy_claiming(windows):
    """A header that promises more numbers than follow."""
    header = f"{{'descr': '<f4', 'fortran_order': False, 'shape': ({windows}, 4), }}".ljust(117) + "\n"
    return b"\x93NUMPY\x01\x00" + len(header).to_bytes(2, "little") + header.encode() + b"\0" * 16


# --- Ends ---------------------------------------------------------------------------------------------------------

STUBBORN = """
import signal, subprocess
signal.signal(signal.SIGTERM, signal.SIG_IGN)
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"], stdout=subprocess.DEVNULL)
open(sys.argv[1], "w").write(f"{os.getpid()} {child.pid}")
say({"ready": True, "dimension": 4})
time.sleep(600)
"""
"""Hears neither a signal nor the end of its input, and has a child."""


@linux
def test_closing_ends_a_stubborn_program_and_what_it_started(program, tmp_path):
    stubborn = load_command(SPEC, (*program("", STUBBORN), str(tmp_path / "pids")))
    processes = (tmp_path / "pids").read_text().split()
    assert all(map(alive, processes))
    stubborn.close()
    assert gone(processes)
    stubborn.close()


@linux
def test_killing_the_process_that_asks_ends_a_stubborn_program_and_what_it_started(program, tmp_path):
    command = (*program("", STUBBORN), str(tmp_path / "pids"))
    code = (
        "import time; from embeddings.spec import FrontEndSpec; from embeddings.external.command import load_command;"
        "from embeddings.weights.files import PackageWeights;"
        "spec = FrontEndSpec('quarters', '1', 8000, 1, 8000, 4, PackageWeights('none', 'x', 'CC0-1.0'));"
        f"frontend = load_command(spec, {command!r}); print('ready', flush=True); time.sleep(600)"
    )
    root = Path(__file__).parents[3]
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, cwd=root) as asker:
        assert asker.stdout.readline() == b"ready\n"
        processes = (tmp_path / "pids").read_text().split()
        assert all(map(alive, processes))
        asker.send_signal(signal.SIGKILL)
    assert gone(processes)


@linux
def test_a_program_that_ends_by_itself_leaves_nothing_behind(program, tmp_path):
    crash = STUBBORN.partition("say(")[0] + "sys.exit('no luck')\n"
    with pytest.raises(EmbeddingError, match="exit code 1: no luck"):
        CommandFrontEnd(SPEC, (*program("", crash), str(tmp_path / "pids"))).start()
    assert gone((tmp_path / "pids").read_text().split())


# --- Which command ------------------------------------------------------------------------------------------------


def test_a_command_is_split_like_a_shells_without_one(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    assert parse_command(f"{sys.executable} 'my program.py' ~/weights a~/b $HOME | x") == (
        (sys.executable, "my program.py", f"{tmp_path}/weights", "a~/b", "$HOME", "|", "x")
    )


@pytest.mark.parametrize(
    ("command", "reason"),
    [
        ("", "is empty"),
        ("  ", "is empty"),
        ("python 'open", "No closing quotation"),
        ("/absent/python serve.py", "program is not there or cannot be run: /absent/python"),
        ("no-such-program-anywhere", "not there"),
        ("''", "not there"),
        ("~/absent", "not there"),
    ],
)
def test_a_command_that_cannot_be_one_is_refused(command, reason):
    with pytest.raises(EmbeddingError, match=reason):
        parse_command(command)


def test_mule_is_listed_as_lacking_its_command_until_one_is_named(tmp_path, monkeypatch):
    monkeypatch.setenv("PLAYER_MULE_COMMAND", "")
    (listed,) = (one for one in available(tmp_path) if one.name == "mule")
    assert (listed.dimension, listed.state, listed.licence) == (1728, State.COMMAND_MISSING, "CC-BY-NC-4.0")
    assert "GPL-3.0-only" in listed.fix
    assert "--command" in listed.fix
    name_command("mule", f"{sys.executable} serve.py")
    assert frontend_module("mule").loader.command() == (sys.executable, "serve.py")
    (listed,) = (one for one in available(tmp_path) if one.name == "mule")
    assert listed.state is State.READY
    monkeypatch.setenv("PLAYER_MULE_COMMAND", "/absent/python serve.py")
    (listed,) = (one for one in available(tmp_path) if one.name == "mule")
    assert listed.state is State.COMMAND_MISSING
    assert "/absent/python" in listed.fix


def test_only_a_front_end_that_a_command_runs_is_given_one(monkeypatch):
    monkeypatch.setenv("PLAYER_MULE_COMMAND", "")
    with pytest.raises(EmbeddingError, match="no command runs musicnn"):
        name_command("musicnn", sys.executable)
    with pytest.raises(EmbeddingError, match="not there"):
        name_command("mule", "/absent/python")
    assert os.environ["PLAYER_MULE_COMMAND"] == ""


def test_a_front_end_of_another_package_has_a_variable_and_a_module_of_its_own(monkeypatch):
    spec = FrontEndSpec("my-own", "1", 8_000, 1, 8_000, 4, PackageWeights("none", "x", "CC0-1.0"))
    assert variable("my-own") == "PLAYER_MY_OWN_COMMAND"
    monkeypatch.setenv("PLAYER_MY_OWN_COMMAND", sys.executable)
    assert command_module(spec, "it is mine").obstacle() is None
    stereo = FrontEndSpec("my-own", "1", 8_000, 2, 8_000, 4, PackageWeights("none", "x", "CC0-1.0"))
    with pytest.raises(ValueError, match="given mono"):
        command_module(stereo, "it is mine")


@linux
def test_files_are_embedded_through_a_command_in_processes_of_their_own(program, tmp_path, encode, sound, monkeypatch):
    answer = (
        f"open({str(tmp_path / 'pids')!r}, 'a').write(f'{{os.getpid()}} ');"
        'np.save(ask["vectors"], np.full((2, 1728), np.abs(np.load(ask["audio"])).max(), "float32")); say({"done": True})'
    )
    command = program(answer, LOOP.replace('"dimension": 4', '"dimension": 1728'))
    monkeypatch.setenv("PLAYER_MULE_COMMAND", " ".join(command))
    files = [encode(tmp_path / f"{n}.wav", n / 10 * np.ones((1, 32_000)), 16_000) for n in (1, 5)]
    (tmp_path / "2.wav").write_bytes(b"no sound")
    results = list(embed_many([*files, tmp_path / "2.wav"], "mule", tmp_path, workers=1))
    loud = [result.embedding.vector for result in results[:2]]
    assert [vector.shape for vector in loud] == [(1728,), (1728,)]
    np.testing.assert_allclose([vector[0] for vector in loud], [0.1, 0.5], atol=1e-3)
    assert results[2].error is not None
    processes = set((tmp_path / "pids").read_text().split())
    assert len(processes) == 1
    assert gone(processes)


def test_a_run_whose_command_is_missing_or_fails_ends_with_one_sentence(program, tmp_path, monkeypatch):
    monkeypatch.setenv("PLAYER_MULE_COMMAND", "")
    with pytest.raises(EmbeddingError, match=r"mule cannot be used now: .*--command"):
        next(embed_many([tmp_path / "a.wav"], "mule", tmp_path, workers=1))
    monkeypatch.setenv("PLAYER_MULE_COMMAND", " ".join(program("", "import absent_network")))
    with pytest.raises(EmbeddingError, match=r"ended with exit code 1: .*absent_network"):
        next(embed_many([tmp_path / "a.wav"], "mule", tmp_path, workers=1))


# --- The program in the document ----------------------------------------------------------------------------------


@pytest.fixture
def documented():
    programs = re.findall(r"```python\n(.*?)```", DOCUMENT.read_text(), flags=re.DOTALL)
    (code,) = (program for program in programs if "mule_torch" in program)
    return code


def test_the_program_in_the_document_compiles_and_knows_mules_dimension(documented):
    compile(documented, "mule_serve.py", "exec")
    assert frontend_spec("mule") is MULE
    assert (MULE.dimension, MULE.sample_rate) == (1728, 16_000)


def test_the_program_in_the_document_gives_the_vectors_of_mule_torch(documented, tmp_path, encode, sound):
    """Run it with MULE_PYTHON naming the Python of an environment that holds mule-torch; the weights are drawn."""
    python = os.environ.get("MULE_PYTHON")
    if not python:
        pytest.skip("needs MULE_PYTHON, the Python of an environment with mule-torch")
    program, weights = tmp_path / "mule_serve.py", tmp_path / "weights"
    program.write_text(documented)
    audio = encode(tmp_path / "a.wav", 0.5 * sound(9.0, 16_000)[None], 16_000)
    draw = (
        "import sys, torch; from mule_torch import MuleModel; torch.manual_seed(0);"
        "MuleModel(mel_fb=torch.rand(96, 1025) / 100).save_pretrained(sys.argv[1])"
    )
    subprocess.run([python, "-c", draw, str(weights)], check=True)
    with closing(load_command(MULE, parse_command(f"{python} {program} {weights}"))) as mule:
        ours = embed_file(audio, mule).vector
    theirs = tmp_path / "theirs.npy"
    ask = (
        "import sys, numpy, torch, wave; from mule_torch import MuleModel;"
        "model = MuleModel.from_pretrained(model_dir=sys.argv[1]); file = wave.open(sys.argv[2]);"
        "pcm = numpy.frombuffer(file.readframes(file.getnframes()), '<i2').astype('float32') / 65536;"
        "numpy.save(sys.argv[3], model(torch.from_numpy(pcm)[None])[0].detach().numpy())"
    )
    subprocess.run([python, "-c", ask, str(weights), str(audio), str(theirs)], check=True)
    np.testing.assert_allclose(ours, np.load(theirs), atol=1e-3 * np.load(theirs).std())
