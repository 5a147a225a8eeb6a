"""The program as it is installed from its wheel."""

import json
import os
import subprocess
import sys
import sysconfig
import venv
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture(scope="module")
def installed(tmp_path_factory):
    """The folder of commands of an environment with the wheel; libraries come from this one, the program does not."""
    folder = tmp_path_factory.mktemp("installed")
    build = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)]
    subprocess.run(build, cwd=ROOT, check=True, capture_output=True)
    venv.create(folder / "venv", with_pip=False)
    (wheel,) = folder.glob("*.whl")
    python = folder / "venv" / "bin" / "python"
    pip = [sys.executable, "-m", "pip", "--python", str(python), "install", "--no-deps", "--no-index", "-q", str(wheel)]
    subprocess.run(pip, check=True, capture_output=True)
    (packages,) = (folder / "venv" / "lib").glob("python*/site-packages")
    # Paths of a .pth file are added as they are: the link to the repository in there is not followed.
    (packages / "libraries.pth").write_text(sysconfig.get_path("purelib") + "\n")
    return folder / "venv" / "bin"


def run(command, *arguments, home):
    environment = {name: value for name, value in os.environ.items() if name not in {"PYTHONPATH", "VIRTUAL_ENV"}}
    arguments = [str(command), *arguments, "--data-dir", str(home / "data"), "--json"]
    done = subprocess.run(arguments, cwd=home, env=environment, check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.mark.slow
def test_a_wheel_brings_commands_migrations_and_the_demo(installed, songs, tmp_path):
    where = [str(installed / "python"), "-c", "import player, recommender, embeddings; print(player.__file__)"]
    assert str(installed.parent) in subprocess.check_output(where, cwd=tmp_path, text=True)
    assert run(installed / "player", "scan", str(songs), home=tmp_path)["added"] == 8
    assert len(run(installed / "skipwise", "tracks", home=tmp_path)) == 8
    demo = "from player.demo import demo_music; print(len(list(demo_music().glob('**/*.*'))))"
    assert int(subprocess.check_output([str(installed / "python"), "-c", demo], cwd=tmp_path)) > 10
    checks = {check["name"]: check for check in run(installed / "player", "doctor", home=tmp_path)["checks"]}
    assert checks["database"]["ok"]
    assert checks["environment"]["ok"], checks["environment"]


@pytest.mark.slow
def test_a_distribution_with_the_same_package_is_named(installed, tmp_path):
    (packages,) = (installed.parent / "lib").glob("python*/site-packages")
    foreign = packages / "embeddings-0.0.8.dist-info"
    foreign.mkdir()
    (foreign / "METADATA").write_text("Metadata-Version: 2.1\nName: embeddings\nVersion: 0.0.8\n")
    (foreign / "top_level.txt").write_text("embeddings\n")
    checks = {check["name"]: check for check in run(installed / "player", "doctor", home=tmp_path)["checks"]}
    assert "embeddings shares package names with skipwise" in checks["environment"]["detail"]
