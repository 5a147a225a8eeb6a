"""Why no sound comes: what holds after any series of changes."""

from hypothesis import given
from hypothesis import strategies as st

from player.playback.silence import BY_LISTENER, TRANSITIONS, Reason, Silence, SoundChange

CHANGES = st.lists(st.sampled_from(SoundChange))
LISTENERS_OWN = {SoundChange.PAUSE, SoundChange.GO_ON, SoundChange.CHOOSE, SoundChange.SLEEP}
CAUSES = {
    Reason.DEVICE: (
        SoundChange.DEVICE_LOST,
        {SoundChange.DEVICE_BACK, SoundChange.PROCESS_DIED, SoundChange.PROCESS_BACK},
    ),
    Reason.STORE: (SoundChange.STORE_REFUSED, {SoundChange.STORE_WROTE}),
    Reason.PROCESS: (SoundChange.PROCESS_DIED, {SoundChange.PROCESS_BACK}),
    Reason.ENDED: (SoundChange.NOTHING_LEFT, {SoundChange.NEXT, SoundChange.CHOOSE}),
}


SOUND = Silence()


def after(changes, start=SOUND):
    for change in changes:
        start = start.after(change)
    return start


def test_every_change_is_in_the_table():
    assert set(TRANSITIONS) == set(SoundChange)


@given(CHANGES, st.lists(st.sampled_from([change for change in SoundChange if change not in LISTENERS_OWN])))
def test_the_player_never_undoes_a_pause_of_the_listener(before, changes):
    for own in (SoundChange.PAUSE, SoundChange.SLEEP):
        paused = after([*before, own])
        assert not after(changes, paused).wanted
        assert not after(changes, paused).sounding


@given(CHANGES, st.lists(st.sampled_from([change for change in SoundChange if change not in LISTENERS_OWN])))
def test_the_player_never_pauses_in_the_listeners_name(before, changes):
    start = after(before)
    assert after(changes, start).wanted == start.wanted


@given(CHANGES)
def test_a_pause_of_the_player_lasts_exactly_as_long_as_its_cause(changes):
    reasons = after(changes).reasons
    for reason, (brings, takes) in CAUSES.items():
        last = next((change for change in reversed(changes) if change is brings or change in takes), None)
        assert (reason in reasons) == (last is brings)


@given(CHANGES)
def test_when_every_cause_is_gone_and_the_listener_wants_it_there_is_music(changes):
    back = [SoundChange.DEVICE_BACK, SoundChange.STORE_WROTE, SoundChange.PROCESS_BACK, SoundChange.CHOOSE]
    assert after([*changes, *back]).sounding


@given(CHANGES)
def test_the_listener_can_always_pause_and_go_on(changes):
    start = after(changes)
    assert not after([SoundChange.PAUSE], start).wanted
    assert after([SoundChange.PAUSE, SoundChange.GO_ON], start).wanted
    assert start.after(SoundChange.GO_ON).reasons == start.reasons - BY_LISTENER
