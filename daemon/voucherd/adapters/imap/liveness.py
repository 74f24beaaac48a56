"""Lets the kernel find out that the other end is gone while nobody speaks, which during IDLE is most of the time.

A peer that vanished without FIN or RST (a firewall that forgot the connection, a machine without power) leaves a
half-open connection: keep-alive probes (RFC 1122 section 4.2.3.6) and the user timeout (RFC 5482) end it after two
minutes, long before the next IDLE would find out.
"""

from __future__ import annotations

import socket

_OPTIONS = (
    ("TCP_KEEPIDLE", 60),  # seconds of silence before the first probe
    ("TCP_KEEPINTVL", 15),
    ("TCP_KEEPCNT", 4),
    ("TCP_USER_TIMEOUT", 60_000),  # milliseconds that what was sent may stay unacknowledged
)


def watch_over(connection: socket.socket) -> None:
    """Switches both on, as far as this system knows them."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    for option, value in _OPTIONS:
        if hasattr(socket, option):
            connection.setsockopt(socket.IPPROTO_TCP, getattr(socket, option), value)
