import subprocess
import sys

import numpy as np
import pytest

from recommender.baselines import BASELINES, TrackFacts, build, names

FACTS = TrackFacts(np.eye(4, dtype=np.float32), np.array([0, 0, 1, -1]))


def test_a_baseline_calls_itself_by_its_name_in_the_registry():
    for name in BASELINES:
        assert build(name, FACTS).name == name


def test_all_is_everything_when_content_and_artists_are_known():
    assert names("all", FACTS) == list(BASELINES)


def test_all_leaves_out_what_the_data_lack():
    assert set(BASELINES) - set(names("all")) == {"content-knn", "artists"}


def test_names_come_in_the_order_asked_for_and_once():
    assert names(" ease, random,ease ") == ["ease", "random"]


@pytest.mark.parametrize(
    "spec", ["ease,eaze", "", " , ", "content-knn", "random,content-knn", "all,content-knn", "artists"]
)
def test_what_cannot_be_had_is_refused_in_one_sentence(spec):
    with pytest.raises(
        ValueError, match=r"content vectors|artists|there is no model 'eaze'|no model is named"
    ) as refused:
        names(spec)
    assert "\n" not in str(refused.value)


def test_building_needs_a_known_name_and_content_for_content():
    with pytest.raises(ValueError, match="there is no model 'all'"):
        build("all")
    with pytest.raises(ValueError, match="needs content vectors"):
        build("content-knn")


def test_importing_the_package_loads_no_heavy_library():
    code = "import sys, recommender.baselines; print([m for m in ('scipy', 'implicit', 'torch') if m in sys.modules])"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "[]\n"


def test_making_baselines_loads_no_heavy_library():
    code = (
        "import sys; from recommender.baselines import build, names\n"
        "for name in names('random,popularity,like-rate,personal-most-played,act-r,imms,tunelog'):\n"
        "    build(name)\n"
        "print([m for m in ('scipy', 'implicit', 'torch') if m in sys.modules])"
    )
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "[]\n"
