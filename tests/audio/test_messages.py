from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from player.audio.messages import (
    Command,
    Event,
    Load,
    Position,
    ProtocolError,
    Seek,
    decode_command,
    decode_event,
    encode,
)

BY_TYPE = {
    str: st.text(st.characters(exclude_categories=())),
    float: st.floats(allow_nan=False, allow_infinity=False),
    int: st.integers(),
    bool: st.booleans(),
    list[float]: st.lists(st.floats(allow_nan=False, allow_infinity=False)),
}


def messages(union):
    return st.one_of(
        *(st.builds(kind, **{n: BY_TYPE[t] for n, t in kind.__annotations__.items()}) for kind in get_args(union))
    )


@pytest.mark.slow
@given(messages(Command))
def test_every_command_survives_the_pipe_on_one_line(command):
    line = encode(command)
    assert line.count(b"\n") == 1
    assert line.endswith(b"\n")
    assert decode_command(line) == command


@given(messages(Event))
def test_every_event_survives_the_pipe(event):
    assert decode_event(encode(event)) == event


def test_a_file_name_that_is_not_utf8_survives():
    path = b"/music/caf\xe9.mp3".decode("utf-8", "surrogateescape")
    assert decode_command(encode(Load(path, 0.0, 1, True))).path == path


@pytest.mark.parametrize(
    "line",
    [
        b"ALSA lib pcm.c: Unknown PCM\n",
        b"[]\n",
        b'{"type": "Explode"}\n',
        b'{"type": "Seek"}\n',
        b'{"type": "Seek", "seconds": "4"}\n',
        b'{"type": "Seek", "seconds": true}\n',
        b'{"type": "Seek", "seconds": NaN}\n',
        b'{"type": "Seek", "seconds": 4, "hurry": true}\n',
        b'{"type": "Started", "token": 1}\n',
        b"\xff\xfe\n",
    ],
)
def test_a_line_that_is_no_command_is_refused(line):
    with pytest.raises(ProtocolError):
        decode_command(line)


def test_an_integer_passes_for_seconds():
    assert decode_command(b'{"type": "Seek", "seconds": 4}') == Seek(4.0)


def test_a_number_that_json_does_not_know_is_not_sent():
    with pytest.raises(ValueError, match="JSON"):
        encode(Position(1, float("nan"), 0.0, True, 0))
