"""Playlists changed while the music plays, and taken back."""

import pytest

from player.config import Settings
from player.errors import PlayerError
from player.playback.controller import Controller
from player.storage.event_kinds import Origin

pytestmark = pytest.mark.slow


@pytest.fixture
def controller(demo):
    """A player over the demo library that plays nothing."""
    return Controller(demo.database, demo.paths, Settings(), origin=Origin.TUI)


def kept(controller):
    return {one.name: (one.query, one.entries) for one in controller.playlists()}


def test_every_change_of_a_playlist_is_taken_back_by_undo(controller):
    tracks = [row.id for row in controller.catalogue()[:3]]
    controller.add_to_playlist("Evening", tracks)
    assert [track for track, _ in kept(controller)["Evening"][1]] == tracks
    for change in (
        lambda: controller.add_to_playlist("evening", tracks[:1]),
        lambda: controller.take_from_playlist("Evening", 1),
        lambda: controller.rename_playlist("Evening", "Night"),
        lambda: controller.remove_playlist("Evening"),
        lambda: controller.save_search("plays:0", "Unheard"),
    ):
        before = kept(controller)
        change()
        assert kept(controller) != before
        controller.undo()
        assert kept(controller) == before


def test_a_first_track_taken_back_takes_the_new_playlist_with_it(controller):
    controller.add_to_playlist("Evening", [controller.catalogue()[0].id])
    controller.undo()
    assert kept(controller) == {}


def test_names_are_not_taken_twice_and_a_search_takes_no_tracks(controller):
    track = controller.catalogue()[0].id
    controller.add_to_playlist("Evening", [track])
    controller.save_search("plays:0", "Unheard")
    for refused in (
        lambda: controller.save_search("plays:1", "evening"),
        lambda: controller.rename_playlist("Unheard", "Evening"),
        lambda: controller.add_to_playlist("Unheard", [track]),
        lambda: controller.add_to_playlist("  ", [track]),
    ):
        before = kept(controller)
        with pytest.raises(PlayerError):
            refused()
        assert kept(controller) == before
