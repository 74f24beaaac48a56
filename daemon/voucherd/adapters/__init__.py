"""The outside, each behind a port of `service.ports`; no adapter knows another."""
