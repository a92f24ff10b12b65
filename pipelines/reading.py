"""What people ask of the published figures: rows by SQL, and how things stand."""

import csv
import io
import json
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import duckdb

from pipelines import pointer, publishing
from pipelines.duck import attached
from pipelines.errors import PipelineError
from pipelines.settings import from_environment

_WIDEST = 60


class QueryFailed(PipelineError):
    """DuckDB could not answer; its own words say why."""


def query(sql: str, form: str) -> str:
    """The answer of the published snapshot as `table`, `csv` or `json` (a list of objects, money as numbers).

    Read-only: the snapshot cannot be changed by it. Raises `NothingPublished` and `QueryFailed`.
    """
    if not sql.strip(" ;\n\t"):
        raise QueryFailed("there is no SQL in the question.")
    settings = from_environment()
    card = pointer.require_current(settings.published)
    with attached(settings.published / card.path, read_only=True) as snapshot:
        try:
            cursor = snapshot.execute(sql)
            columns = [column[0] for column in cursor.description or ()]
            rows = cursor.fetchall()
        except duckdb.Error as error:
            raise QueryFailed(str(error)) from error
    return {"table": _as_table, "csv": _as_csv, "json": _as_json}[form](columns, rows)


def status() -> str:
    """What readers see, what is kept, and what was refused last."""
    settings = from_environment()
    card = pointer.current(settings.published)
    if card is None:
        lines = ["nothing is published yet"]
    else:
        lines = [
            f"published  {card.build_id} at {card.published_at:%Y-%m-%d %H:%M:%S} UTC",
            f"as of      {card.as_of:%Y-%m-%d %H:%M:%S} UTC",
            f"size       {card.bytes / 1e6:.1f} MB, journal position {card.horizon}, DuckDB {card.duckdb_version}",
        ]
        for kept in pointer.cards(settings.published):
            if kept.build_id != card.build_id:
                lines.append(f"kept       {kept.build_id} (from {kept.published_at:%Y-%m-%d %H:%M:%S} UTC)")
    for rejection in publishing.rejections(settings)[:3]:
        reasons: Any = rejection["reasons"]
        lines.append(f"rejected   {rejection['build_id']}: {'; '.join(reasons)[:200]}")
    return "\n".join(lines) + "\n"


def rollback(to: str | None) -> str:
    """Go back, and say where to."""
    card = publishing.rollback(from_environment(), to)
    return f"readers follow {card.build_id} again (as of {card.as_of:%Y-%m-%d %H:%M} UTC)\n"


def _as_table(columns: list[str], rows: list[tuple[Any, ...]]) -> str:
    cells = [columns, *([_shown(value) for value in row] for row in rows)]
    widths = [max(len(line[position]) for line in cells) for position in range(len(columns))]
    lines = ["  ".join(text.ljust(width) for text, width in zip(line, widths, strict=True)).rstrip() for line in cells]
    lines.insert(1, "  ".join("-" * width for width in widths))
    return "\n".join(lines) + f"\n({len(rows)} rows)\n"


def _shown(value: Any) -> str:
    text = "" if value is None else str(value).replace("\n", " ")
    return text if len(text) <= _WIDEST else text[: _WIDEST - 1] + "…"


def _as_csv(columns: list[str], rows: list[tuple[Any, ...]]) -> str:
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows(rows)
    return out.getvalue()


def _as_json(columns: list[str], rows: list[tuple[Any, ...]]) -> str:
    objects = [dict(zip(columns, row, strict=True)) for row in rows]
    return json.dumps(objects, default=_plain, ensure_ascii=False) + "\n"


def _plain(value: Any) -> Any:
    if isinstance(value, Decimal):
        # Seventeen digits hold every DECIMAL(18,2) below 90 billion exactly; JSON has no other number.
        return float(value)
    if isinstance(value, datetime | date):
        return value.isoformat()
    return str(value)
