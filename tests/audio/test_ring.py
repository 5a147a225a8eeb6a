import threading

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from player.audio.ring import RingBuffer


def frames(first, count):
    return np.repeat(np.arange(first, first + count, dtype=np.float32)[:, None], 2, axis=1)


@pytest.mark.slow
@given(st.integers(1, 12), st.lists(st.tuples(st.booleans(), st.integers(0, 20)), max_size=60))
def test_the_ring_behaves_like_a_list_of_limited_length(capacity, steps):
    ring, model, sent = RingBuffer(capacity), [], 0
    for write, count in steps:
        if write:
            taken = ring.write(frames(sent, count))
            assert taken == min(count, capacity - len(model))
            model += range(sent, sent + taken)
            sent += taken
        else:
            out = np.full((count, 2), -1, np.float32)
            got = ring.read_into(out)
            assert out[:got, 0].tolist() == out[:got, 1].tolist() == model[:count]
            assert got == min(count, len(model))
            assert (out[got:] == -1).all()
            model = model[got:]
        assert ring.available == len(model)


@pytest.mark.slow
def test_two_threads_lose_add_and_reorder_nothing():
    ring, total = RingBuffer(1000), 20_000
    sizes = np.random.default_rng(0).integers(1, 700, 5000)

    def produce():
        sent = 0
        for size in np.resize(sizes, total):
            if sent == total:
                break
            block = frames(sent, min(int(size), total - sent))
            while len(block):
                block = block[ring.write(block) :]
            sent = ring.written
        ring.finished = True

    producer = threading.Thread(target=produce)
    producer.start()
    got, out = [], np.empty((512, 2), np.float32)
    while not ring.drained:
        count = ring.read_into(out)
        got.append(out[:count, 0].copy())
    producer.join()
    assert np.array_equal(np.concatenate(got), np.arange(total, dtype=np.float32))


def test_a_ring_is_drained_only_when_it_is_empty_and_finished():
    ring = RingBuffer(4)
    assert not ring.drained
    ring.write(frames(0, 3))
    ring.finished = True
    assert not ring.drained
    ring.read_into(np.empty((3, 2), np.float32))
    assert ring.drained
