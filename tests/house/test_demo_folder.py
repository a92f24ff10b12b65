"""The demo clears what a demo left, and nothing else."""

from pathlib import Path

import pytest

from pipelines.house.demo import MARKER, ForeignShopError, fresh_var


def test_a_shop_that_no_demo_made_is_left_alone(tmp_path: Path) -> None:
    shop = tmp_path / "shop.db"
    shop.write_bytes(b"precious")
    with pytest.raises(ForeignShopError, match=r"shop\.db"):
        fresh_var(tmp_path)
    assert shop.read_bytes() == b"precious"


def test_what_an_earlier_demo_left_is_cleared(tmp_path: Path) -> None:
    fresh_var(tmp_path)
    (tmp_path / "shop.db").touch()
    (tmp_path / "published").mkdir()
    fresh_var(tmp_path)
    assert not (tmp_path / "shop.db").exists()
    assert not (tmp_path / "published").exists()
    assert (tmp_path / MARKER).exists()
