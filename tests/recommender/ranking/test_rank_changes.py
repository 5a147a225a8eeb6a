from recommender.ranking.rank_changes import Move, moves


def test_rows_say_how_far_they_moved():
    found = moves([1, 2, 3, 4], [3, 1, 2, 9])
    assert found == [Move(3, 2), Move(1, -1), Move(2, -1), Move(9, 0, new=True)]
    assert [move.label for move in found] == ["▲2", "▼1", "▼1", "●new"]


def test_a_row_that_stayed_says_nothing():
    assert [move.label for move in moves([5, 6], [5, 6])] == ["", ""]


def test_an_empty_queue_has_no_moves():
    assert moves([1, 2], []) == []
