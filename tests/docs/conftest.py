"""The pages: the README, contributing, the changelog and everything under ``docs``."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")])
FENCE = re.compile(r"^```.*?^```$", re.DOTALL | re.MULTILINE)


def without_code(text: str) -> str:
    return FENCE.sub("", text)


@pytest.fixture(params=PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def page(request) -> Path:
    return request.param
