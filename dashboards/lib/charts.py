"""Charts with one look; each is shown with its definition, its table and its CSV."""

from collections.abc import Mapping, Sequence
from typing import Literal, TypeAlias, cast

import altair as alt
import polars as pl
import streamlit as st

from dashboards.lib import export
from dashboards.lib.session import Snapshot

AnyChart: TypeAlias = alt.Chart | alt.LayerChart | alt.FacetChart

ACCENT = "#b4436c"
SECOND = "#3c6e71"
MUTED = "#9a9a9a"

_HEIGHT = 260
"""Of a chart over time, in pixels."""
_KINDS = [ACCENT, SECOND, "#d98e2b", "#7b6ba8"]
_AGES = ["#d9b8c4", "#cf93a8", "#b4436c", "#8a2c50", "#571a33"]


def show(
    snapshot: Snapshot,
    chart: AnyChart,
    table: pl.DataFrame,
    *,
    name: str,
    title: str,
    note: str,
    empty: str = "No data for this selection.",
) -> None:
    """One card: title with the definition as its tooltip, chart, table, CSV. Empty data say so instead."""
    with st.container(border=True):
        st.subheader(title, help=note)
        if table.is_empty():
            st.info(empty)
            return
        st.altair_chart(chart, width="stretch")
        table_with_csv(snapshot, table, name=name)


def card(snapshot: Snapshot, table: pl.DataFrame, *, name: str, title: str, note: str, empty: str) -> None:
    """The same without a chart: a list that is read row by row."""
    with st.container(border=True):
        st.subheader(title, help=note)
        if table.is_empty():
            st.success(empty)
            return
        table_with_csv(snapshot, table, name=name, expanded=True)


def table_with_csv(snapshot: Snapshot, table: pl.DataFrame, *, name: str, expanded: bool = False) -> None:
    """The figures behind a chart, to read and to take away."""
    with st.expander("Table and CSV", expanded=expanded):
        st.dataframe(table, width="stretch", hide_index=True)
        st.download_button(
            "Download CSV",
            data=export.to_csv(table),
            file_name=export.file_name(name, snapshot.build),
            mime="text/csv",
            key=f"csv-{name}",
        )


def floats(table: pl.DataFrame) -> pl.DataFrame:
    """Decimals as floats: a chart needs no paise, and JSON has no decimals."""
    return table.with_columns(pl.col(pl.Decimal).cast(pl.Float64))


def over_time(table: pl.DataFrame, *, x: str, y: str, y_title: str, compared: str | None = None) -> AnyChart:
    """A line over time; the compared period is dashed."""
    base = alt.Chart(floats(table)).encode(x=alt.X(f"{x}:T", title=None))
    tooltip = [alt.Tooltip(f"{x}:T", title="period"), alt.Tooltip(f"{y}:Q", title=y_title, format=",.2f")]
    layers = [
        base.mark_line(color=ACCENT, point=alt.OverlayMarkDef(color=ACCENT) if table.height < 60 else False).encode(
            y=alt.Y(f"{y}:Q", title=y_title), tooltip=tooltip
        )
    ]
    if compared:
        layers.append(base.mark_line(color=MUTED, strokeDash=[5, 4]).encode(y=f"{compared}:Q"))
    return alt.layer(*layers).properties(height=280)


def bars(
    table: pl.DataFrame, *, x: str, y: str, x_title: str, colour: str = ACCENT, is_share: bool = False
) -> AnyChart:
    """Horizontal bars, in the table's order; shares are drawn on a scale from 0 to 100 %."""
    scale, axis = (alt.Scale(domain=[0, 1]), alt.Axis(format=".0%")) if is_share else (alt.Undefined, alt.Undefined)
    chart = (
        alt.Chart(floats(table))
        .mark_bar(color=colour)
        .encode(
            x=alt.X(f"{x}:Q", title=x_title, scale=scale, axis=axis),
            y=alt.Y(f"{y}:N", sort=None, title=None, axis=alt.Axis(labelLimit=260, labelOverlap=False)),
            tooltip=[alt.Tooltip(f"{y}:N"), alt.Tooltip(f"{x}:Q", title=x_title, format=",.2f")],
        )
        .properties(height=100 + 24 * table.height)
    )
    return cast("AnyChart", chart)


def stacked(table: pl.DataFrame, *, x: str, parts: Sequence[str], y_title: str) -> AnyChart:
    """Columns over time, stacked by kind."""
    columns = _by_kind(table, x, parts, y_title).mark_bar(size=_bar_width(table))
    return cast("AnyChart", columns.properties(height=_HEIGHT))


def stacked_bars(
    table: pl.DataFrame, *, x: str, y: str, kind: str, x_title: str, kind_order: str | None = None
) -> AnyChart:
    """Horizontal bars in the table's order, stacked by kind; an ordered kind grows darker."""
    kinds = table.sort(kind_order or kind).unique(subset=kind, keep="first", maintain_order=True)
    names = kinds.get_column(kind).to_list()
    colours = [_AGES[place - 1] for place in kinds.get_column(kind_order)] if kind_order else [SECOND, ACCENT]
    chart = (
        alt.Chart(floats(table))
        .mark_bar()
        .encode(
            x=alt.X(f"{x}:Q", title=x_title, axis=alt.Axis(format=",d", tickMinStep=1)),
            y=alt.Y(f"{y}:N", sort=None, title=None, axis=alt.Axis(labelLimit=260, labelOverlap=False)),
            color=alt.Color(
                f"{kind}:N", title=None, sort=names, scale=alt.Scale(domain=names, range=colours),
                legend=alt.Legend(orient="top"),
            ),
            order=alt.Order(f"{kind_order or kind}:{'Q' if kind_order else 'N'}"),
            tooltip=[f"{y}:N", f"{kind}:N", alt.Tooltip(f"{x}:Q", title=x_title, format=",")],
        )
        .properties(height=160 + 36 * table.get_column(y).n_unique())
    )  # fmt: skip
    return cast("AnyChart", chart)


def rates(table: pl.DataFrame, *, x: str, parts: Mapping[str, str]) -> AnyChart:
    """Lines of shares over time; `parts` names the columns and what they are called."""
    long = floats(table).unpivot(index=x, on=list(parts), variable_name="kind", value_name="rate").drop_nulls("rate")
    chart = (
        alt.Chart(long.with_columns(pl.col("kind").replace(dict(parts))))
        .mark_line(point=True)
        .encode(
            x=alt.X(f"{x}:T", title=None),
            y=alt.Y("rate:Q", title=None, axis=alt.Axis(format=".0%")),
            color=_two_kinds(parts),
            tooltip=[f"{x}:T", "kind:N", alt.Tooltip("rate:Q", format=".1%")],
        )
        .properties(height=_HEIGHT)
    )
    return cast("AnyChart", chart)


def rate_bars(table: pl.DataFrame, *, y: str, parts: Mapping[str, str]) -> AnyChart:
    """Horizontal bars of shares side by side, in the table's order."""
    long = floats(table).unpivot(index=y, on=list(parts), variable_name="kind", value_name="rate").drop_nulls("rate")
    chart = (
        alt.Chart(long.with_columns(pl.col("kind").replace(dict(parts))))
        .mark_bar()
        .encode(
            x=alt.X("rate:Q", title=None, axis=alt.Axis(format=".0%")),
            y=alt.Y(f"{y}:N", sort=table.get_column(y).to_list(), title=None, axis=alt.Axis(labelLimit=200)),
            yOffset=alt.YOffset("kind:N"),
            color=_two_kinds(parts),
            tooltip=[f"{y}:N", "kind:N", alt.Tooltip("rate:Q", format=".1%")],
        )
        .properties(height=max(260, 90 + 40 * table.height))
    )
    return cast("AnyChart", chart)


def _two_kinds(parts: Mapping[str, str]) -> alt.Color:
    scale = alt.Scale(domain=list(parts.values()), range=[ACCENT, SECOND])
    return alt.Color("kind:N", title=None, scale=scale, legend=alt.Legend(orient="top"))


def lines(table: pl.DataFrame, *, x: str, parts: Sequence[str], y_title: str) -> AnyChart:
    """Up to four lines over time, one a column."""
    return cast("AnyChart", _by_kind(table, x, parts, y_title).mark_line(point=True).properties(height=_HEIGHT))


def layers_of(table: pl.DataFrame, *, x: str, parts: Sequence[str], minus: str, y_title: str) -> AnyChart:
    """What a sum consists of over time, negative parts below the line; the dashed line is a part of it that may go."""
    columns = _by_kind(table, x, parts, y_title).mark_bar(size=_bar_width(table))
    dashed = (
        alt.Chart(floats(table))
        .mark_line(color=MUTED, strokeDash=[5, 4])
        .encode(x=f"{x}:T", y=f"{minus}:Q", tooltip=[f"{x}:T", alt.Tooltip(f"{minus}:Q", format=",")])
    )
    return alt.layer(columns, dashed).properties(height=300)


def intervals(table: pl.DataFrame, *, y: str, x: str, low: str, high: str, x_title: str) -> AnyChart:
    """A point with its interval a row, and where nothing would be."""
    base = alt.Chart(floats(table)).encode(
        y=alt.Y(f"{y}:N", sort=None, title=None, axis=alt.Axis(labelLimit=260)),
        tooltip=[f"{y}:N", *(alt.Tooltip(f"{name}:Q", format=",.2f") for name in (x, low, high))],
    )
    whole = base.mark_rule(color=ACCENT, strokeWidth=2).encode(x=alt.X(f"{low}:Q", title=x_title), x2=f"{high}:Q")
    middle = base.mark_point(color=ACCENT, filled=True, size=80).encode(x=f"{x}:Q")
    nothing = (
        alt.Chart(pl.DataFrame({"nothing": [0.0]})).mark_rule(color=MUTED, strokeDash=[4, 4]).encode(x="nothing:Q")
    )
    return alt.layer(nothing, whole, middle).properties(height=70 + 36 * table.height)


def _by_kind(table: pl.DataFrame, x: str, parts: Sequence[str], y_title: str) -> alt.Chart:
    """The columns `parts` over time, a colour each; what marks them is the caller's choice."""
    long = floats(table).unpivot(index=x, on=list(parts), variable_name="kind", value_name="value")
    return alt.Chart(_named(long)).encode(
        x=alt.X(f"{x}:T", title=None),
        y=alt.Y("value:Q", title=y_title),
        color=_kinds(parts),
        tooltip=[f"{x}:T", "kind:N", alt.Tooltip("value:Q", format=",")],
    )


def _named(long: pl.DataFrame) -> pl.DataFrame:
    return long.with_columns(pl.col("kind").str.replace_all("_", " "))


def _kinds(parts: Sequence[str]) -> alt.Color:
    names = [part.replace("_", " ") for part in parts]
    scale = alt.Scale(domain=names, range=_KINDS[: len(names)])
    # Two columns fit a phone; a longer row of names would be cut off there.
    return alt.Color("kind:N", title=None, scale=scale, legend=alt.Legend(orient="top", columns=2))


def _bar_width(table: pl.DataFrame) -> float:
    """Pixels of a bar over time: a bar of a date would else be a hair, however few there are."""
    return min(20.0, max(2.0, 200 / max(table.height, 1)))


def heat_map(
    table: pl.DataFrame,
    *,
    x: str,
    y: str,
    value: str,
    value_format: str,
    x_title: str,
    y_title: str,
    y_sort: Literal["ascending", "descending"] = "ascending",
) -> AnyChart:
    """Cells with their figure written in them; absent cells stay blank."""
    base = alt.Chart(floats(table)).encode(
        x=alt.X(f"{x}:O", title=x_title, axis=alt.Axis(labelAngle=0)),
        y=alt.Y(f"{y}:O", title=y_title, sort=y_sort, axis=alt.Axis(labelOverlap=False)),
    )
    middle = table.get_column(value).cast(pl.Float64).max()
    threshold = float(middle) / 2 if isinstance(middle, int | float) else 0.0
    cells = base.mark_rect().encode(
        color=alt.Color(f"{value}:Q", scale=alt.Scale(scheme="redpurple"), legend=None),
        tooltip=[f"{y}:O", f"{x}:O", alt.Tooltip(f"{value}:Q", format=value_format)],
    )
    words = base.mark_text(fontSize=10).encode(
        text=alt.Text(f"{value}:Q", format=value_format),
        color=alt.condition(alt.datum[value] > threshold, alt.value("white"), alt.value("black")),
    )
    return alt.layer(cells, words).properties(height=max(200, 26 * table.get_column(y).n_unique()))
