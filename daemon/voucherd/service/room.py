"""Room on the disk: too little of it is told before there is none, and shown also where nothing can be written."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from voucherd.domain.alarms import AlarmCode
from voucherd.domain.letter import Alarm
from voucherd.service.alarms import raise_alarms
from voucherd.service.store import Store

LEAST: Final = 200 * 1024 * 1024
"""So many bytes must be free; a few large mails and a checkpoint of the database need less."""

_TOLD: Final = "disk-full"


@dataclass(frozen=True, slots=True)
class Room:
    """How many bytes are free where voucherd writes, for a folder that is named."""

    folder: str
    free: int

    @property
    def short(self) -> bool:
        """Whether that is too little."""
        return self.free < LEAST

    @property
    def shown(self) -> str:
        """For people."""
        return f"{self.free // (1024 * 1024)} MB free"


def watch_room(store: Store, rooms: Sequence[Room], now: datetime) -> int:
    """Tells the operators of a folder without room, once until there is room again; returns how many alarms."""
    short = {room.folder: room for room in rooms if room.short}
    with store.read() as tx:
        if _folders(tx.state.get(_TOLD)) == short.keys():
            return 0
    with store.write() as tx:
        told = _folders(tx.state.hold(_TOLD))  # held: two daemons on one machine tell it once
        new = [room for folder, room in short.items() if folder not in told]
        if told != short.keys():
            tx.state.put(_TOLD, json.dumps(sorted(short)))
        about = f"{AlarmCode.DISK_FULL}|{now.isoformat()}"
        return raise_alarms(tx, now, [(f"{about}|{room.folder}", _alarm(room)) for room in new])


def rooms_json(rooms: Sequence[Room]) -> list[dict[str, Any]]:
    """What `status` says of it."""
    return [{"folder": room.folder, "free_bytes": room.free, "short": room.short} for room in rooms]


def rooms_to_do(shown: Sequence[Mapping[str, Any]]) -> list[str]:
    """What a person must do, a line each, from that JSON."""
    return [
        f"{one['folder']} has {Room(one['folder'], one['free_bytes']).shown}: make room, or no mail is taken in"
        for one in shown
        if one["short"]
    ]


def _alarm(room: Room) -> Alarm:
    return Alarm(AlarmCode.DISK_FULL, room.folder, room.shown)


def _folders(text: str | None) -> set[str]:
    return set(json.loads(text)) if text else set()
