"""`python -m transactional supplier-feed`."""

import json
import shutil
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from tests.support.trade import TradeKit
from tests.transactional.suppliers.conftest import Buyer
from transactional.__main__ import main
from transactional.core.clock import SystemClock
from transactional.core.db import make_engine
from transactional.core.uow import Database
from transactional.settings import get_settings
from transactional.suppliers.models import SupplierFeed, SupplierStock


@pytest.fixture
def shop(_sqlite_template: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Buyer]:
    """The shop that the command finds, with one article of the supplier TOYS."""
    shutil.copy(_sqlite_template, tmp_path / "shop.db")
    monkeypatch.setenv("MLT_VAR", str(tmp_path))
    monkeypatch.delenv("DATABASE_URL", raising=False)
    get_settings.cache_clear()
    engine = make_engine(f"sqlite:///{tmp_path / 'shop.db'}")
    buyer = Buyer(TradeKit(Database(engine)))
    buyer.article(buyer.supplier(), buyer.kit.variant("CUP"), "CT-1")
    yield buyer
    engine.dispose()
    get_settings.cache_clear()


def write(folder: Path, name: str, content: str) -> str:
    """A file; gives its path."""
    (folder / name).write_text(content, encoding="utf-8")
    return str(folder / name)


def test_a_csv_feed_is_taken_once(shop: Buyer, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = write(tmp_path, "feed.csv", "supplier_sku,quantity\nCT-1,5\nOTHER,1\n")
    for _ in range(2):
        assert main(["supplier-feed", file, "--supplier", "toys", "--as-of", "2026-01-15T11:30:00+05:30"]) == 0
        assert capsys.readouterr().out == "1 of 2 taken, 0 outdated, 1 unknown\n"
    assert (shop.kit.count(SupplierFeed), shop.kit.count(SupplierStock)) == (1, 1)


def test_a_json_feed_names_its_supplier(shop: Buyer, tmp_path: Path) -> None:
    items = [{"supplier_sku": "CT-1", "quantity": 5}]
    document = {"supplier": "TOYS", "as_of": "2026-01-15T06:00:00Z", "items": items}
    assert main(["supplier-feed", write(tmp_path, "feed.json", json.dumps(document))]) == 0
    assert shop.kit.count(SupplierStock, SupplierStock.quantity == 5) == 1


FUTURE = (SystemClock().now() + timedelta(days=2)).isoformat()


@pytest.mark.parametrize(
    ("name", "content", "arguments", "why"),
    [
        ("feed.csv", "supplier_sku,quantity\nCT-1,five\n", ["--as-of", "2026-01-15T06:00:00Z"], "line 2: 'five'"),
        ("feed.csv", "supplier_sku,quantity\nCT-1,5\n", [], "line 1: the header lacks as_of"),
        ("feed.csv", "supplier_sku,quantity\nCT-1,5\n", ["--as-of", "today"], "--as-of: 'today' is no moment"),
        ("feed.csv", "supplier_sku,quantity\nCT-1,5\n", ["--as-of", FUTURE], "in the future"),
        ("feed.csv", "supplier_sku,quantity\nXX-1,5\n", ["--as-of", "2026-01-15T06:00:00Z"], "buys none of TOYS"),
        ("feed.json", '{"items": ', [], "no JSON"),
        ("feed.xml", "<feed/>", [], "not .xml"),
        ("feed", "", [], "one without an ending"),
    ],
)
def test_a_fault_ends_with_code_2_and_changes_nothing(
    shop: Buyer,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    name: str,
    content: str,
    arguments: list[str],
    why: str,
) -> None:
    assert main(["supplier-feed", write(tmp_path, name, content), "--supplier", "TOYS", *arguments]) == 2
    assert why in capsys.readouterr().err
    assert shop.kit.count(SupplierFeed) == shop.kit.count(SupplierStock) == 0


def test_whose_feed_it_is_must_be_said_and_known(
    shop: Buyer, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = write(tmp_path, "feed.csv", "supplier_sku,quantity,as_of\nCT-1,5,2026-01-15T06:00:00Z\n")
    assert main(["supplier-feed", file]) == 2
    assert "--supplier CODE" in capsys.readouterr().err
    assert main(["supplier-feed", file, "--supplier", "NOBODY"]) == 2
    assert "there is no supplier 'NOBODY'" in capsys.readouterr().err
    assert main(["supplier-feed", str(tmp_path / "absent.csv"), "--supplier", "TOYS"]) == 2
    assert "cannot be read" in capsys.readouterr().err
    assert shop.kit.count(SupplierStock) == 0
