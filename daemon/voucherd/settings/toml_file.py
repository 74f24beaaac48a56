"""A TOML file as plain data, or the fault that keeps it from being read."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any

from voucherd.errors import Fault

_LIMIT = 4 * 1024 * 1024
_AT = re.compile(r"^(?P<what>.*?) \(at (?P<where>line \d+, column \d+|end of document)\)$", re.DOTALL)


def read_toml(path: Path, key: str = "") -> dict[str, Any] | Fault:
    """The content of `path`; a fault for a file that is missing, unreadable, too large or not TOML.

    `key` is the key of another file that names this one.
    """
    try:
        with path.open("rb") as stream:
            content = stream.read(_LIMIT + 1)
    except FileNotFoundError:
        return Fault(str(path), key, "", "there is no such file", "make it, or name another")
    except ValueError:  # a NUL character, which no name of a file may hold
        return Fault(repr(str(path)), key, "", "is no name of a file", "name another")
    except OSError as error:
        return Fault(str(path), key, "", f"cannot be read ({error.strerror})", "check its owner and mode")
    if len(content) > _LIMIT:
        return Fault(str(path), key, "", "is larger than 4 MB", "name a configuration file")
    try:
        return tomllib.loads(content.decode())
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        return Fault(str(path), f"line {line}", "", "is not UTF-8", "save the file as UTF-8")
    except tomllib.TOMLDecodeError as error:
        match = _AT.match(str(error))
        where, what = (match["where"], match["what"]) if match else ("", str(error))
        what = what[:1].lower() + what[1:]
        return Fault(str(path), where, "", f"is not TOML: {what}", "correct that line; text stands in quotes")
    except RecursionError:
        return Fault(str(path), "", "", "is nested too deeply", "name a configuration file")
