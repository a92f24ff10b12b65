"""The command: what it prints, what it refuses."""

import json
from pathlib import Path

import pytest

from transactional.__main__ import main


@pytest.mark.slow
def test_a_small_shop_and_its_truth(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    url = f"sqlite:///{tmp_path / 'shop.db'}"
    command = ["simulate", "--customers", "3", "--days", "60", "--database", url, "--end", "2025-03-31"]
    assert main(command) == 0
    assert "registrations" in capsys.readouterr().out
    truth = json.loads((tmp_path / "simulation" / "truth.json").read_text(encoding="utf-8"))
    assert len(truth["shoppers"]) == 3
    assert main(command) == 2
    assert "already" in capsys.readouterr().err


@pytest.mark.slow
def test_in_bulk(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    url = f"sqlite:///{tmp_path / 'shop.db'}"
    command = ["simulate", "--bulk", "--customers", "20", "--orders", "50", "--days", "90", "--database", url]
    assert main(command) == 0
    assert "50 orders" in capsys.readouterr().out


@pytest.mark.parametrize("wrong", [["--customers", "0"], ["--days", "-1"], ["--end", "soon"]])
def test_bad_arguments(tmp_path: Path, wrong: list[str]) -> None:
    with pytest.raises(SystemExit) as exit_:
        main(["simulate", "--database", f"sqlite:///{tmp_path / 'shop.db'}", *wrong])
    assert exit_.value.code == 2


@pytest.mark.slow
def test_a_password_that_is_too_short(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    url = f"sqlite:///{tmp_path / 'shop.db'}"
    assert main(["simulate", "--customers", "1", "--days", "5", "--database", url, "--password", "short"]) == 2
    assert "characters" in capsys.readouterr().err
