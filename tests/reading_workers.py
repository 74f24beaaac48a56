"""A fixture that gives the desks of a test module workers in common: starting them is the longest part of a test.

A test module takes them by `pytest_plugins = ["tests.reading_workers"]`.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from voucherd.adapters.reader.pool import WorkerPool
from voucherd.settings.programme_file import load_programmes


@pytest.fixture(scope="module")
def workers() -> Iterator[WorkerPool]:
    """Worker processes that read mail, with the shipped programme."""
    programmes, faults = load_programmes(["planning-services"], Path(), "tests")
    assert not faults
    pool = WorkerPool(programmes)
    yield pool
    pool.close()
