"""Plays of a made-up person who hears some artists out and skips others, in sessions."""

import pytest

from tests.support.histories import listening


@pytest.fixture(scope="package")
def plays():
    return listening()
