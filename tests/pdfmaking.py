"""PDFs for tests, written by hand: pages of rows of text at fixed places, or whatever objects a test asks for.

Everything in them is synthetic.
"""

from __future__ import annotations

import zlib
from collections.abc import Sequence

_WIDTH, _HEIGHT, _TOP, _LEFT = 842, 1190, 1150, 40
_SIZE, _LEADING = 10, 14
_ADVANCE = 6  # of a Courier character at this size


def pdf(*pages: str, attached: Sequence[tuple[str, bytes]] = (), in_forms: bool = False) -> bytes:
    """A PDF with one page a text. Runs of two blanks and more end a piece of text, as columns do; the next one is
    set at its own place. `in_forms` draws the text inside of a form, where pypdf does not look."""
    kids = " ".join(f"{4 + at * 3} 0 R" for at in range(len(pages)))
    first_file = 4 + 3 * len(pages)
    names = "".join(f" ({name}) {first_file + at * 2 + 1} 0 R" for at, (name, _) in enumerate(attached))
    files = f" /Names << /EmbeddedFiles << /Names [{names}] >> >>" if attached else ""
    objects = [
        f"<< /Type /Catalog /Pages 2 0 R{files} >>".encode(),
        f"<< /Type /Pages /Kids [{kids}] /Count {len(pages)} >>".encode(),
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Courier /Encoding /WinAnsiEncoding >>",
    ]
    for at, page in enumerate(pages):
        drawn, form = 5 + at * 3, 6 + at * 3
        resources = f"<< /Font << /F1 3 0 R >> /XObject << /X1 {form} 0 R >> >>"
        objects.append(
            f"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 {_WIDTH} {_HEIGHT}] /Resources {resources} "
            f"/Contents {drawn} 0 R >>".encode()
        )
        text = _drawn(page)
        objects.append(stream(b"/X1 Do" if in_forms else text))
        box = f"/Type /XObject /Subtype /Form /BBox [0 0 {_WIDTH} {_HEIGHT}] /Resources << /Font << /F1 3 0 R >> >> "
        objects.append(stream(text if in_forms else b"", box))
    for at, (name, content) in enumerate(attached):
        objects.append(stream(content, "/Type /EmbeddedFile "))
        number = first_file + at * 2
        objects.append(f"<< /Type /Filespec /F ({name}) /UF ({name}) /EF << /F {number} 0 R >> >>".encode())
    return written(objects)


def written(objects: Sequence[bytes]) -> bytes:
    """The objects, numbered from 1, as a file; the first is the catalogue."""
    out = bytearray(b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n")
    places = []
    for number, content in enumerate(objects, 1):
        places.append(len(out))
        out += b"%d 0 obj\n%s\nendobj\n" % (number, content)
    start = len(out)
    out += b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1)
    for place in places:
        out += b"%010d 00000 n \n" % place
    out += b"trailer\n<< /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n" % (len(objects) + 1, start)
    return bytes(out)


def stream(content: bytes, keys: str = "") -> bytes:
    """A compressed stream."""
    packed = zlib.compress(content)
    head = f"<< {keys}/Length {len(packed)} /Filter /FlateDecode >>\nstream\n".encode()
    return head + packed + b"\nendstream"


def _drawn(page: str) -> bytes:
    rows = [b"BT /F1 %d Tf" % _SIZE]
    for number, row in enumerate(page.splitlines()):
        for start, piece in _pieces(row):
            shown = piece.encode("cp1252").replace(b"\\", b"\\\\").replace(b"(", b"\\(").replace(b")", b"\\)")
            place = (_LEFT + start * _ADVANCE, _TOP - number * _LEADING)
            rows.append(b"1 0 0 1 %d %d Tm (%s) Tj" % (*place, shown))
    return b"\n".join([*rows, b"ET"])


def _pieces(row: str) -> list[tuple[int, str]]:
    found: list[tuple[int, str]] = []
    start = 0
    for part in row.split("  "):
        if part.strip():
            found.append((start + len(part) - len(part.lstrip()), part.strip()))
        start += len(part) + 2
    return found
