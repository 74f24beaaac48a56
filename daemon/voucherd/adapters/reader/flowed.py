"""format=flowed text (RFC 3676) back to the lines that its writer wrote."""

from __future__ import annotations


def unflowed(text: str, *, delete_space: bool) -> str:
    """Joins each line that ends in a space to the next one of the same quote depth (section 4.2).

    The signature separator `-- ` never flows (section 4.3), nor does an empty line, and space-stuffing is
    taken off (section 4.4). With `delete_space` (`delsp=yes`) the space itself goes too.
    """
    result: list[str] = []
    flowing = -1
    pieces: list[str] = []
    for line in text.split("\n"):
        body = line.lstrip(">")
        depth = len(line) - len(body)
        body = body.removeprefix(" ")
        signature = body == "-- "
        if pieces and (depth != flowing or signature):
            result.append(_quoted(flowing, pieces))
            pieces = []
        soft = body.endswith(" ") and not signature and bool(body.strip())
        pieces.append(body[:-1] if soft and delete_space else body)
        flowing = depth
        if not soft:
            result.append(_quoted(depth, pieces))
            pieces = []
    if pieces:
        result.append(_quoted(flowing, pieces))
    return "\n".join(result)


def _quoted(depth: int, pieces: list[str]) -> str:
    return (">" * depth + " " if depth else "") + "".join(pieces)
