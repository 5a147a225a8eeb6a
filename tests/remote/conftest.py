"""A player that really plays (silently) the demo library, with its remote controls."""

from contextlib import contextmanager

import pytest

from player.playback.controller import Controller, Opening
from player.remote.address import only_player
from player.remote.companions import companions
from player.storage.event_kinds import Origin
from tests.support.library import copy_home, settings


@contextmanager
def playing(home):
    station = home.station()
    opening = Opening(station_id=station.id, play=True)
    controller = Controller(home.database, home.paths, settings(), origin=Origin.HEADLESS, opening=opening)
    controller.home = home
    with only_player(home.paths.data), companions(controller, home.database, home.paths, settings()):
        controller.start()
        yield controller
        controller.close()


@pytest.fixture
def running(demo):
    """The controller of a player on the station “Evening”; ``running.home`` is its data folder."""
    with playing(demo) as controller:
        yield controller


@pytest.fixture(scope="module")
def running_for_all(demo_template, tmp_path_factory):
    """The same for tests that leave it as it is."""
    home = copy_home(demo_template, tmp_path_factory.mktemp("running") / "demo")
    with playing(home) as controller:
        yield controller
    home.close()
