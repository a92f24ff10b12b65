"""The contracts of `raw` say what the shop's tables are; no secret is in them."""

import pytest
import yaml

from pipelines import contracts
from pipelines.contracts import ColumnType
from pipelines.settings import ROOT
from tests.pipelines.contracts import derive

SHAPE_HINT = "run `python -m tests.pipelines.contracts.derive` and look at what the change does to the warehouse"


def _shape(table: contracts.Table) -> list[tuple[str, ColumnType, bool, bool, str | None]]:
    return [(c.name, c.type, c.nullable, c.key, c.unit) for c in table.columns]


def test_every_shop_table_has_its_contract_and_no_contract_is_left_over() -> None:
    assert sorted(contracts.load()) == sorted(derive.derived()), SHAPE_HINT


@pytest.mark.parametrize("name", sorted(contracts.load()))
def test_contract_equals_the_shop_table(name: str) -> None:
    wanted, written = derive.derived()[name], contracts.load()[name]
    assert _shape(written) == _shape(wanted), SHAPE_HINT
    assert (written.feed, written.day_column) == (wanted.feed, wanted.day_column)


def test_no_secret_leaves_the_shop() -> None:
    names = {column.name for table in contracts.load().values() for column in table.columns}
    assert not {name for name in names if "password" in name or "token_hash" in name}


def test_personal_data_is_classified() -> None:
    for table in contracts.load().values():
        for column in table.columns:
            if column.name in derive.PERSONAL_DATA:
                assert column.personal_data != "none", f"{table.name}.{column.name}"


def test_every_table_has_one_key_called_id() -> None:
    for table in contracts.load().values():
        assert [column.name for column in table.columns if column.key] == ["id"], table.name


def test_unknown_column_is_named() -> None:
    with pytest.raises(KeyError, match=r"raw.orders has no column 'colour'"):
        contracts.load()["orders"].column("colour")


def test_every_source_of_the_models_has_a_contract() -> None:
    """A table that dbt reads is one that extraction brings."""
    document = yaml.safe_load((ROOT / "dbt/models/staging/shop/_sources.yml").read_text("utf-8"))
    [source] = document["sources"]
    assert source["name"] == "raw"
    read = {table["name"]: {c["name"] for c in table.get("columns", ())} for table in source["tables"]}
    for name, columns in read.items():
        assert name in contracts.load(), f"dbt reads raw.{name}, which no contract names"
        assert columns <= {column.name for column in contracts.load()[name].columns}, name
