"""What all contract tests share."""

from __future__ import annotations

import pytest

from voucherd.adapters.store import bulk


@pytest.fixture(autouse=True)
def arrays_from_the_first_row_on(monkeypatch: pytest.MonkeyPatch) -> None:
    """PostgreSQL takes many rows at once by other statements than a few: here the whole contract holds them. The
    integration tests, with their few rows, hold the others."""
    monkeypatch.setattr(bulk, "_ARRAYS_FROM", 1)
