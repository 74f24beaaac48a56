"""structlog without rich, which it would take along to colour tracebacks: a tenth of the memory of the daemon, and of
the start of whatever logs a line. Imported where a line is due: structlog brings asyncio with it as well."""

from __future__ import annotations

import sys

if "rich" not in sys.modules and "structlog" not in sys.modules:
    sys.modules["rich"] = None  # type: ignore[assignment]  # an import of it fails, as where it is not installed
    try:
        import structlog
    finally:
        del sys.modules["rich"]
else:
    import structlog

__all__ = ["structlog"]
