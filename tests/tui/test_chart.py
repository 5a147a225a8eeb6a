"""Points as dots, against slow and obvious versions."""

import numpy as np
import pytest

from player.tui.chart import (
    ASIDE,
    CLOSEST,
    DOTS_ACROSS,
    DOTS_DOWN,
    Camera,
    Cell,
    nearest,
    patterns,
    picture,
    sharing,
    towards,
    way,
)

CAMERA = Camera(30, 12)


def points(count: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).uniform(-1, 1, (count, 2)).astype(np.float32)


def test_each_dot_of_a_cell_is_the_dot_of_its_unicode_character():
    # Unicode numbers the dots 1 2 3 down the left side, 4 5 6 down the right, 7 and 8 below; dot n is bit n − 1.
    numbered = {(0, 0): 1, (1, 0): 2, (2, 0): 3, (0, 1): 4, (1, 1): 5, (2, 1): 6, (3, 0): 7, (3, 1): 8}
    for (down, across), number in numbered.items():
        lit = np.zeros((4, 2), np.bool_)
        lit[down, across] = True
        assert patterns(lit)[0, 0] == 1 << (number - 1)


@pytest.mark.parametrize("zoom", [1.0, 3.0])
def test_a_crowd_is_drawn_dot_by_dot_and_each_cell_has_its_commonest_colour(zoom):
    places = points(2000)
    colours = np.random.default_rng(1).integers(0, 4, len(places))
    camera = CAMERA.on(places[7], zoom)
    drawn = picture(camera.dots(places), colours, camera)
    bits = {(x, y): bit for y, row in enumerate(((1, 8), (2, 16), (4, 32), (64, 128))) for x, bit in enumerate(row)}
    votes: dict[Cell, list[int]] = {}
    expected = np.zeros((12, 30), np.uint8)
    for (x, y), colour in zip(np.floor(camera.dots(places)).astype(int), colours, strict=True):
        if 0 <= x < 60 and 0 <= y < 48:
            expected[y // 4, x // 2] |= bits[x % 2, y % 4]
            votes.setdefault(Cell(x // 2, y // 4), []).append(int(colour))
    assert (drawn.patterns == expected).all()
    for cell, seen in votes.items():
        assert drawn.colours[cell.row, cell.column] == min(set(seen), key=lambda c: (-seen.count(c), c))


def test_a_few_points_are_drawn_large():
    places = np.array([[0, 0]], np.float32)
    lit = int(np.bitwise_count(picture(CAMERA.dots(places), np.zeros(1, int), CAMERA).patterns).sum())
    assert lit == 6


def test_the_whole_map_is_in_view_with_room_for_a_mark_at_either_side():
    corners = np.array([[-1, -1], [1, 1], [-1, 1], [1, -1]], np.float32)
    for corner in corners:
        cell = CAMERA.cell(corner)
        assert cell is not None
        assert 1 <= cell.column < CAMERA.columns - 1
    top, bottom = CAMERA.cell(corners[1]), CAMERA.cell(corners[0])
    assert top.row < bottom.row, "y points upwards"
    assert top.column > bottom.column


def test_the_camera_stays_on_the_map():
    for place in points(50):
        for zoom in (0.1, 1.0, 1.7, 8.0, 1e9):
            camera = CAMERA.on(place, zoom)
            assert 1 <= camera.zoom <= CLOSEST
            assert camera.cell(place) is not None
            assert max(abs(camera.x), abs(camera.y)) <= 1 - 1 / camera.zoom + 1e-9


@pytest.mark.parametrize(("across", "down"), [(1, 0), (-1, 0), (0, 1), (0, -1)])
def test_the_next_point_in_a_direction_is_the_cheapest_of_those_more_ahead_than_aside(across, down):
    dots = CAMERA.dots(points(60))
    for origin in range(len(dots)):
        cheapest, found = np.inf, None
        for other, (x, y) in enumerate(dots - dots[origin]):
            ahead, aside = (x * across, abs(y)) if across else (y * down, abs(x))
            if ahead >= DOTS_ACROSS and aside <= ahead and ahead + ASIDE * aside < cheapest:
                cheapest, found = ahead + ASIDE * aside, other
        assert towards(dots, origin, across, down) == found


def test_the_nearest_point_and_those_in_a_cell_are_those_a_search_finds():
    dots = CAMERA.dots(points(300))
    cells = [(int(x // DOTS_ACROSS), int(y // DOTS_DOWN)) for x, y in dots]
    for origin in range(0, 300, 17):
        assert sharing(dots, origin) == [other for other, cell in enumerate(cells) if cell == cells[origin]]
        cell = Cell(*cells[origin])
        middle = np.array([cell.column * 2 + 1, cell.row * 4 + 2])
        assert nearest(dots, cell) == min(range(300), key=lambda p: ((dots[p] - middle) ** 2).sum())


def test_a_way_is_a_dotted_line_that_ends_at_its_points_and_may_leave_the_screen():
    drawn = way(np.array([[2.5, 2.5], [50.5, 40.5], [500.0, -90.0]], np.float32), CAMERA)
    assert drawn[0, 1]
    assert drawn[10, 25]
    cells = np.argwhere(drawn[:, :26])
    on_the_line = np.abs((cells[:, 0] * 4 + 2) - ((cells[:, 1] * 2 + 1) * 38 / 48 + 0.5)) < 4
    assert on_the_line.mean() > 0.9
    assert not way(np.array([[5, 5]], np.float32), CAMERA).any()
