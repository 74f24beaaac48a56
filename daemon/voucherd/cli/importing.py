"""`voucherd import`: a spreadsheet of vouchers, as the programme's validation tool exports it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click

from voucherd.cli.context import Context, json_option, pass_context, plain, print_json
from voucherd.domain.counted import many
from voucherd.errors import ExitStatus, OperatorError

_MAX_FILE = 10 * 1024 * 1024
_SHOWN = 50


@click.command("import")
@click.argument("file", type=click.Path(path_type=Path), metavar="FILE")
@click.option("--partner", help="The partner of rows that name none.")
@click.option("--programme", help="The programme, where the file does not tell.")
@json_option
@pass_context
def import_(context: Context, file: Path, partner: str | None, programme: str | None, as_json: bool) -> int:
    """Takes in a spreadsheet of vouchers: a row each, under headings like Voucher ID, Status, Reserved on.

    The same file again records nothing. A row that cannot be read is listed with its number (exit status 1), and
    the others are recorded.
    """
    from voucherd.domain.events import Role
    from voucherd.domain.sheets import Sheet
    from voucherd.service.importing import exports_in, import_exports
    from voucherd.service.named import named_partner, named_programme
    from voucherd.service.teller import Teller

    app = context.app
    if partner is not None:
        named_partner(app.rules, partner)
    if programme is not None:
        named_programme(app.rules, programme)
    (answer,) = app.reader.run("sheet", [(file.name, _content(file))])
    if not isinstance(answer, list):
        reason = getattr(answer, "reason", answer)
        raise OperatorError(f"{file} cannot be read: {reason}", remedy="save it as .xlsx or .csv")
    sheets = [one for one in answer if isinstance(one, Sheet)]
    try:
        exports = exports_in(sheets, app.rules)
    except OperatorError as error:
        raise OperatorError(error.what, where=str(file), remedy=error.remedy) from None
    teller = Teller(context.operator, Role.OPERATOR, partner)
    taken = import_exports(app.store, app.rules, exports, programme, teller, context.writing_now())
    done = {
        "file": str(file),
        "rows": taken.rows,
        "recorded": len(taken.events),
        "opened": taken.opened,
        "unchanged": taken.unchanged,
        "not_recorded": [_json(one) for one in taken.faults],
        "remarks": [_json(one) for one in taken.remarks],
        "review": list(taken.reviews),
    }
    if as_json:
        print_json(done)
    else:
        _page(done)
    return ExitStatus.LOOK if taken.faults or taken.reviews else ExitStatus.DONE


def _json(fault: tuple[str, int, str]) -> dict[str, object]:
    sheet, row, why = fault
    return {"sheet": sheet, "row": row, "reason": why}


def _page(done: Mapping[str, Any]) -> None:
    counted = (
        f"{many(done['rows'], 'voucher', 'vouchers')} read, {many(done['recorded'], 'fact', 'facts')} recorded",
        f"({many(done['opened'], 'voucher', 'vouchers')} new),",
        f"{many(done['unchanged'], 'row', 'rows')} with nothing new",
    )
    click.echo(plain(f"{done['file']}: {' '.join(counted)}"))
    for heading, name in (("not recorded", "not_recorded"), ("note", "remarks")):
        rows = done[name]
        for one in rows[:_SHOWN] if isinstance(rows, list) else []:
            click.echo(plain(f"  {heading}: {one['sheet']}, row {one['row']}: {one['reason']}"))
        if isinstance(rows, list) and len(rows) > _SHOWN:
            click.echo(f"  … and {len(rows) - _SHOWN} more; --json lists them all")
    for number in done["review"] if isinstance(done["review"], list) else []:
        click.echo(f"  It contradicts what stands: `voucherd review show {number}`")


def _content(file: Path) -> bytes:
    if file.suffix.lower() not in (".xlsx", ".ods", ".csv"):
        raise OperatorError(f"{file} is no .xlsx, .ods or .csv file", remedy="save it as one of these")
    if not file.is_file():
        raise OperatorError(f"there is no {file}", remedy="name a spreadsheet")
    if file.stat().st_size > _MAX_FILE:
        raise OperatorError(f"{file} is larger than {_MAX_FILE // 2**20} MB", remedy="export less at a time")
    return file.read_bytes()
