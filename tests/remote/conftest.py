"""A player that really plays (silently) the demo library, with its remote controls."""

import pytest

from player.playback.controller import Controller, Opening
from player.remote.address import only_player
from player.remote.companions import companions
from player.storage.event_kinds import Origin
from tests.support.library import settings


@pytest.fixture
def running(demo):
    """The controller of a player on the station “Evening”; ``running.home`` is its data folder."""
    station = demo.station()
    opening = Opening(station_id=station.id, play=True)
    controller = Controller(demo.database, demo.paths, settings(), origin=Origin.HEADLESS, opening=opening)
    controller.home = demo
    with only_player(demo.paths.data), companions(controller, demo.database, demo.paths, settings()):
        controller.start()
        yield controller
        controller.close()
