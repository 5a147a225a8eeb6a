"""The front of the queue with a real audio process: the prepared place, pins, the dial, modes, and stations like a track."""

import random

import pytest
from sqlalchemy import update

from player.errors import PlayerError
from player.feedback.event_store import EventStore
from player.feedback.events import NewEvent
from player.playback.controller import Opening
from player.stations.pins import Pins, load_pins, save_pins
from player.stations.stations import Stations
from player.storage.database import open_database
from player.storage.models import Track
from tests.support.listener import Listener

pytestmark = pytest.mark.slow

A_SECOND = 1.5


@pytest.fixture
def listen():
    """Starts listeners and closes them at the end."""
    started = []

    def start(home, opening=None):
        started.append(Listener(home, opening).start())
        return started[-1]

    yield start
    for listener in started:
        listener.controller.close()


@pytest.fixture
def evening(demo, listen):
    """The demo library's tracks, of which one plays on the station Evening."""
    listener = listen(demo, Opening(station_id=demo.station().id))
    listener.wait_until_sounding()
    return listener


def reasons(listener):
    return [row.reason for row in listener.controller.snapshot().queue]


def pinned(listener):
    return [row.track.id for row in listener.controller.snapshot().queue if row.pinned]


# --- the prepared place


def test_the_prepared_place_stays_under_thumbs_and_dial_while_the_rest_moves(evening):
    """Its head is decoded already, and it was drawn with a propensity of its own."""
    first, rest = evening.queue[0], evening.queue[1:]
    evening.controller.thumb(1)
    for unwanted in rest[:3]:
        evening.controller.thumb(-1, unwanted)
    for _ in range(5):
        evening.controller.turn_dial(10)
    assert evening.queue[0] == first
    assert evening.queue[1:] != rest


def test_a_finished_track_is_followed_by_the_prepared_place_with_what_it_was_drawn_with(tones, listen):
    listener = listen(tones, Opening(station_id=tones.station().id))
    first, expected = listener.now.track.id, listener.queue[0]
    watermark = EventStore(tones.database, "cli").read()[-1].id
    listener.controller.thumb(1, listener.queue[2])
    listener.wait(lambda: listener.now.track.id != first, "the next track")
    assert listener.now.track.id == expected
    decision = decisions(tones)[1]
    assert decision.track_id == expected
    assert decision.watermark <= watermark, "it was drawn before the thumb"
    assert decision.rank == 1
    assert decision.slot == 1
    assert 0 < decision.propensity <= 1


@pytest.mark.parametrize("verb", ["thumb down", "never"])
def test_a_verdict_on_the_playing_track_draws_the_next_one_anew_and_says_so(evening, verb):
    before = EventStore(evening.home.database, "cli").read()[-1].id
    promised = evening.controller.snapshot().queue[0].track
    actions = {"thumb down": lambda: evening.controller.thumb(-1), "never": evening.controller.never}
    actions[verb]()
    assert decisions(evening.home)[-1].watermark > before
    assert ("instead of" in evening.notice) == (evening.now.track != promised)


CHANGES = {
    "like": lambda controller, _row: controller.thumb(1),
    "dislike a row": lambda controller, row: controller.thumb(-1, row),
    "like a row": lambda controller, row: controller.thumb(1, row),
    "rest a row": lambda controller, row: controller.not_now(row),
    "ban a row": lambda controller, row: controller.never(row),
    "discover": lambda controller, _row: controller.turn_dial(20),
    "familiar": lambda controller, _row: controller.turn_dial(-30),
    "play a row": lambda controller, row: controller.play_track(row),
    "replay": lambda controller, _row: controller.replay(),
    "previous": lambda controller, _row: controller.previous(),
    "undo": lambda controller, _row: controller.undo(),
    "read the library anew": lambda controller, _row: controller._from_outside(library=True),
}
LEAVE = {"skip": lambda controller: controller.next(), "rest": lambda controller: controller.not_now()}


@pytest.mark.parametrize("seed", range(3))
def test_the_first_row_is_a_promise(evening, seed):
    """It plays next, whatever was learned meanwhile, and is logged with what it was drawn and shown with.

    Only when it is heard or forbidden itself may it change, and nothing done here does that, but for an undo or a way back.
    """
    controller, rng = evening.controller, random.Random(seed)
    for _ in range(25):
        controller.seek(0.0)  # so that the track does not end by itself on a busy machine
        what, queue = rng.choice([*CHANGES, *LEAVE]), evening.queue
        if len(queue) < 3:
            break
        due = controller._session.tuned.prepared.served(None)
        if what in LEAVE:
            LEAVE[what](controller)
            decision = decisions(evening.home)[-1]
            logged = (evening.now.track.id, decision.track_id, decision.slot, decision.propensity, decision.watermark)
            assert logged == (queue[0], queue[0], due.slot, pytest.approx(due.propensity), due.watermark)
        else:
            went_back = what == "previous" and controller._session.played[-1:] == [queue[0]]
            others = [row for row in queue if row not in {queue[0], evening.now.track.id}]
            CHANGES[what](controller, rng.choice(others))
            assert evening.queue[0] == queue[0] or went_back or what == "undo"


def test_a_prepared_track_that_is_thumbed_down_makes_room_at_once(evening):
    unwanted = evening.queue[0]
    evening.controller.thumb(-1, unwanted)
    assert unwanted not in evening.queue
    assert evening.queue


def decisions(home):
    from player.storage.models import Decision

    with home.database.reader() as session:
        found = session.query(Decision).order_by(Decision.id).all()
        session.expunge_all()
    return found


# --- pins


def test_a_pinned_track_plays_next_and_its_pin_is_used_up(evening):
    wanted, other = evening.queue[5], evening.queue[9]
    evening.controller.pin_last(other)
    evening.controller.pin_next(wanted)
    assert evening.queue[:2] == [wanted, other]
    assert pinned(evening) == [wanted, other]
    assert reasons(evening)[:2] == ["pinned by you"] * 2
    evening.controller.next()
    assert evening.now.track.id == wanted
    assert evening.now.reason == "pinned by you"
    assert evening.events[-1] == ("start", wanted, "chose")
    assert evening.logged[-1].decision_id is None
    assert pinned(evening) == [other]
    assert load_pins(evening.home.database, 1) == Pins((other,))


def test_pins_hold_while_everything_else_is_reordered(evening):
    wanted = [evening.queue[7], evening.queue[3]]
    for track in wanted:
        evening.controller.pin_last(track)
    evening.controller.thumb(1)
    evening.controller.thumb(-1, evening.queue[6])
    evening.controller.turn_dial(40)
    assert evening.queue[:2] == wanted
    evening.controller.move_pin(-1, wanted[1])
    assert evening.queue[:2] == wanted[::-1]
    evening.controller.pin_last(wanted[0])
    assert pinned(evening) == [wanted[1]]


def test_a_path_by_sound_leads_from_what_plays_to_the_chosen_track(evening, demo):
    goal = evening.queue[-1]
    evening.controller.pin_path(goal)
    path = pinned(evening)
    assert path[-1] == goal
    assert 1 < len(path) < 10
    assert len(set(path)) == len(path)
    assert evening.now.track.id not in path
    assert load_pins(demo.database, evening.controller.snapshot().station.id).tracks == tuple(path)


def test_pins_survive_a_restart(demo, listen):
    listener = listen(demo, Opening(station_id=demo.station().id))
    wanted = listener.queue[6]
    listener.controller.pin_next(wanted)
    listener.controller.close()
    again = listen(demo)
    assert again.queue[0] == wanted
    assert pinned(again) == [wanted]


def test_a_pin_that_is_banned_leaves_the_queue_and_one_that_was_banned_is_refused(evening):
    wanted, unwanted = evening.queue[4], evening.queue[8]
    evening.controller.pin_next(wanted)
    evening.controller.never(wanted)
    assert wanted not in evening.queue
    assert load_pins(evening.home.database, 1).tracks == ()
    evening.controller.thumb(-1, unwanted)
    evening.controller.pin_next(unwanted)
    assert "not pinned: it was thumbed down here" in evening.notice
    assert unwanted not in evening.queue
    evening.controller.pin_next(evening.now.track.id)
    assert "playing already" in evening.notice


def test_pins_of_another_process_are_taken_up_within_a_second(evening):
    wanted = evening.queue[8]
    other = open_database(evening.home.paths.database)
    save_pins(other, 1, Pins((wanted,)))
    other.close()
    evening.wait(lambda: evening.queue[0] == wanted, "the pin", timeout=A_SECOND)


def test_a_dial_turned_on_the_command_line_is_taken_up_within_a_second(evening):
    other = open_database(evening.home.paths.database)
    Stations(other).turn_dial(1, 100)
    other.close()
    evening.wait(lambda: evening.controller.snapshot().station.dial == 100, "the dial", timeout=A_SECOND)


# --- without a station


def test_pinned_tracks_play_without_a_station_and_then_the_music_goes_on_for_ever(tones, listen):
    one, two = tones.track_ids[:2]
    listener = listen(tones)
    listener.controller.pin_last(one)
    listener.controller.pin_last(two)
    assert pinned(listener) == [one, two]
    listener.controller.toggle_pause()
    assert listener.now.track.id == one
    assert pinned(listener) == [two]
    listener.wait(lambda: listener.now.track.id == two, "the second pin")
    listener.wait(lambda: listener.controller.snapshot().station is not None, "a station")
    station = listener.controller.snapshot().station
    assert station.name.startswith(next(row.title for row in tones.rows if row.id == two))
    listener.wait(lambda: listener.now is not None and listener.now.track.id not in {one, two}, "music without end")
    assert "The queue is over" in listener.notice
    assert listener.queue


def test_pins_of_the_free_queue_go_along_to_the_first_station(demo, listen):
    station = demo.station()
    listener = listen(demo)
    wanted = demo.track_ids[4]
    listener.controller.pin_last(wanted)
    listener.controller.open_station(station.id)
    assert listener.now.track.id == wanted
    assert load_pins(demo.database, None).tracks == ()


def test_a_track_playing_without_a_station_is_gone_on_with_after_a_restart(demo, listen):
    listener = listen(demo)
    listener.controller.play_track(demo.track_ids[3])
    listener.wait_until_sounding()
    listener.controller.close()
    again = listen(demo)
    assert again.now.track.id == demo.track_ids[3]


# --- stations like a track, and the way back


def test_more_like_the_playing_track_turns_the_station_while_the_music_plays_on(evening):
    evening.wait_until_sounding(0.3)
    playing, position = evening.now.track, evening.now.position
    evening.controller.more_like()
    shown = evening.controller.snapshot()
    assert shown.station.name == f"{playing.title} · {playing.artist}"
    assert evening.now.track == playing
    assert evening.now.position >= position
    assert [(event.kind, event.station_id, event.action) for event in evening.logged[-2:]] == [
        ("stop", 1, "station"),
        ("start", shown.station.id, "chose"),
    ]
    assert evening.queue[0] != playing.id
    evening.controller.back()
    assert evening.controller.snapshot().station.name == "Evening"
    assert "“Evening”" in evening.notice


def test_more_like_a_row_begins_with_that_row_and_is_reused_the_second_time(evening):
    wanted = evening.queue[6]
    evening.controller.more_like(wanted)
    made = evening.controller.snapshot().station
    assert evening.now.track.id == wanted
    evening.controller.back()
    evening.controller.more_like(wanted)
    assert evening.controller.snapshot().station.id == made.id
    assert len(evening.controller.stations()) == 2


def test_going_back_lets_the_music_play_on_and_says_nothing_for_or_against_it(evening):
    evening.controller.more_like(evening.queue[4])
    playing = evening.now.track
    evening.controller.back()
    assert evening.controller.snapshot().station.name == "Evening"
    assert evening.now.track == playing
    assert [(event.kind, event.action) for event in evening.logged[-2:]] == [("stop", "station"), ("start", None)]


def test_a_station_is_deleted_and_brought_back_by_undo(evening):
    controller = evening.controller
    other = controller.create_station("Other", [("library", "")])
    controller.remove_station(other.id)
    assert [row.name for row in controller.stations()] == ["Evening"]
    controller.undo()
    assert [row.name for row in controller.stations()] == ["Evening", "Other"]
    controller.rename_station(controller.snapshot().station.id, "Night")
    assert controller.snapshot().station.name == "Night"


def test_a_station_is_based_on_something_else_while_it_plays_and_back_by_undo(evening):
    controller = evening.controller
    before, playing = controller.snapshot().station, controller.snapshot().now.track
    seeds = controller.station_seeds(before.id)
    out = controller.snapshot().queue[1].track.artist
    changed = [*seeds, ("not artist", out)]
    assert controller.station_pool(changed) < controller.station_pool(seeds)
    controller.change_station(before.id, "Later", changed, "station")
    shown = controller.snapshot()
    assert (shown.station.name, shown.now.track) == ("Later", playing)
    assert out not in {row.track.artist for row in shown.queue}
    with pytest.raises(PlayerError):
        controller.change_station(before.id, "Never", [("not artist", out)], "station")
    assert controller.snapshot().station.name == "Later"
    controller.undo()
    assert controller.snapshot().station.name == before.name
    assert controller.station_seeds(before.id) == seeds


def test_back_after_a_restart_finds_the_station_that_played_before(demo, listen):
    one, other = demo.station("One"), demo.station("Other")
    listener = listen(demo, Opening(station_id=one.id))
    listener.controller.next()
    listener.controller.open_station(other.id)
    listener.controller.close()
    again = listen(demo)
    assert again.controller.snapshot().station.name == "Other"
    again.controller.back()
    assert again.controller.snapshot().station.name == "One"


# --- the dial and the modes


def test_the_dial_moves_the_queue_at_once_and_is_kept(evening):
    before = evening.queue
    for _ in range(7):
        evening.controller.turn_dial(10)
    shown = evening.controller.snapshot()
    assert shown.station.dial == 100
    assert "new to you" in shown.dial_effect
    assert evening.queue != before
    assert Stations(evening.home.database).find("Evening").dial == 100
    for _ in range(5):
        evening.controller.turn_dial(-10)
    assert evening.controller.snapshot().dial_effect.startswith("chooses from ")
    assert "," not in evening.controller.snapshot().dial_effect
    assert evening.queue == before


def test_a_mode_is_kept_and_the_queue_says_why(evening):
    evening.controller.set_mode("new")
    assert evening.controller.snapshot().station.mode == "new"
    assert all(reason.startswith("added ") for reason in reasons(evening))
    evening.controller.set_mode("rediscover")
    assert "unheard for 30 days" in evening.notice
    evening.controller.set_mode("station")
    assert not any(reason.startswith("added ") for reason in reasons(evening))
    assert Stations(evening.home.database).find("Evening").mode == "station"


def test_without_a_station_dial_mode_and_the_way_back_say_what_they_need(demo, listen):
    listener = listen(demo)
    listener.controller.turn_dial(10)
    assert "choose one first" in listener.notice
    listener.controller.set_mode("albums")
    assert "choose one first" in listener.notice
    listener.controller.back()
    assert "No other station" in listener.notice
    listener.controller.more_like()
    assert "Nothing is playing" in listener.notice


def test_a_first_row_that_was_heard_elsewhere_makes_room_and_the_screen_says_so(evening):
    first, second = (row.track for row in evening.controller.snapshot().queue[:2])
    other = open_database(evening.home.paths.database)
    EventStore(other, "cli").append(NewEvent("finish", second.id, 1))
    evening.wait(lambda: evening.controller._session.history.state.plays, "the play", timeout=A_SECOND)
    assert evening.queue[0] == first.id, "what another track's play says waits behind the promise"
    EventStore(other, "cli").append(NewEvent("finish", first.id, 1))
    other.close()
    evening.wait(lambda: evening.queue[0] != first.id, "the draw", timeout=A_SECOND)
    assert f"instead of “{first.title}”" in evening.notice


# --- album radio


@pytest.fixture
def albums(demo):
    """The demo library as four albums of six, by track number against the order of their ids; the albums' track ids."""
    ids = sorted(demo.track_ids)
    with demo.database.session() as session:
        for place, track in enumerate(ids):
            values = {
                "album_id": None,
                "album": f"Album {place % 4}",
                "album_artist": "Everyone",
                "track_number": 99 - place,
            }
            session.execute(update(Track).where(Track.id == track).values(**values))
    Stations(demo.database).set_mode(demo.station().id, "albums")
    return [ids[number::4][::-1] for number in range(4)]


def test_album_radio_goes_through_its_album_and_takes_it_up_again_after_a_pin(demo, albums, listen):
    listener = listen(demo, Opening(station_id=1))
    first, *rest = next(album for album in albums if listener.now.track.id in album)
    assert listener.now.track.id == first
    assert listener.queue[:5] == rest
    assert reasons(listener)[:5] == ["next on the album"] * 5
    assert listener.queue[5:11] in albums
    listener.controller.next()
    assert listener.now.track.id == rest[0]
    other = next(album for album in albums if first not in album)[3]
    listener.controller.pin_next(other)
    listener.controller.next()
    assert listener.now.track.id == other
    listener.controller.next()
    assert listener.now.track.id == rest[1]
    starts = [event for event in listener.logged if event.kind == "start"]
    assert [event.decision_id is None for event in starts] == [False, True, True, True]


def test_an_album_chosen_in_its_middle_plays_on_to_its_end(demo, albums, listen):
    listener = listen(demo, Opening(station_id=1))
    other = next(album for album in albums if listener.now.track.id not in album)
    listener.controller.play_track(other[2])
    assert listener.queue[:3] == other[3:]


def test_the_next_album_is_prepared_whole(demo, albums, listen):
    """The last track of an album is followed by the first of the next, which stays, and by that one's others."""
    listener = listen(demo, Opening(station_id=1))
    for _ in range(5):
        listener.controller.next()
    expected = listener.queue[:6]
    assert expected in albums
    listener.controller.thumb(-1, listener.queue[8])
    assert listener.queue[:6] == expected


# --- hostile tags, and searches as seeds


def test_a_station_like_a_track_with_a_hostile_title_has_a_printable_name(demo, listen):
    with demo.database.session() as session:
        session.execute(update(Track).values(title="a\x1b[31m\nb\u202e", artist="c\x07", artists=""))
    listener = listen(demo, Opening(station_id=demo.station().id))
    listener.controller.more_like(listener.queue[0])
    name = listener.controller.snapshot().station.name
    assert name.isprintable()
    listener.controller.more_like(listener.queue[1])
    assert listener.controller.snapshot().station.name == f"{name} 2"


def test_what_is_typed_is_proposed_as_a_search_where_it_finds_anything(evening):
    row = evening.controller.catalogue()[0]
    query = f'artist:"{row.artist}"'
    kind, value, tracks = evening.controller.seed_suggestions(query)[0]
    assert (kind, value) == ("query", query)
    assert tracks == len(evening.controller.search(query))
    assert evening.controller.seed_suggestions(row.artist)[-1] == (
        "query",
        row.artist,
        len(evening.controller.search(row.artist)),
    )
    assert evening.controller.seed_suggestions("zzzz") == []
    assert all(kind != "query" for kind, _, _ in evening.controller.seed_suggestions(""))
