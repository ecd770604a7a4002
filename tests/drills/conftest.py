"""What several tests of drills start from."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.drills.fake_api import FakeApi


@pytest.fixture
def api(tmp_path: Path) -> Iterator[FakeApi]:
    with FakeApi(tmp_path).running() as running:
        yield running
