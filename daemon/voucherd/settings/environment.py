"""Variables that override single keys: `VOUCHERD_REMINDERS__SEND_AT=08:30` for `[reminders] send_at`.

pydantic-settings finds and splits them; it is imported only where at least one is set.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from voucherd.errors import Fault
from voucherd.settings.sections import Configuration

_PREFIX = "VOUCHERD_"
_BETWEEN = "__"


def overrides(environ: Mapping[str, str]) -> tuple[dict[str, Any], list[Fault]]:
    """The keys that variables set, nested as in the file; lists and tables are written as JSON."""
    ours = {name: value for name, value in environ.items() if _is_ours(name)}
    if not ours:
        return {}, []
    from pydantic_settings import BaseSettings, EnvSettingsSource, SettingsError

    class Source(EnvSettingsSource):
        def _load_env_vars(self) -> Mapping[str, str | None]:
            return {name.lower(): value for name, value in ours.items()}

    class Shape(BaseSettings):
        pass

    Shape.model_fields.update(Configuration.model_fields)
    try:
        found = Source(Shape, case_sensitive=False, env_prefix=_PREFIX, env_nested_delimiter=_BETWEEN)()
    except SettingsError as error:
        what = "is not JSON, which a list needs"
        return {}, [Fault("environment", _variable(str(error), ours), "", what, 'write it like ["…", "…"]')]
    return found, []


def merged(data: Mapping[str, Any], over: Mapping[str, Any]) -> dict[str, Any]:
    """`data` with the keys of `over` laid over it, table by table."""
    result = dict(data)
    for key, value in over.items():
        below = result.get(key)
        result[key] = merged(below, value) if isinstance(below, dict) and isinstance(value, dict) else value
    return result


def variable_of_key(key: str) -> str:
    """The variable that overrides `reminders.send_at`."""
    return _PREFIX + key.replace(".", _BETWEEN).upper()


def _is_ours(name: str) -> bool:
    upper = name.upper()
    return upper.startswith(_PREFIX) and _BETWEEN in upper


def _variable(message: str, ours: Mapping[str, str]) -> str:
    field = message.partition('"')[2].partition('"')[0].upper()
    return next((name for name in ours if name.upper().startswith(_PREFIX + field)), _PREFIX + field)
