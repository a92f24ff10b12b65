"""The command: its exit codes, its words, and that a refusal leaves the shop alone."""

import hashlib
import json
from pathlib import Path

import pytest

from transactional.importing.cli import main

EXCERPT = Path(__file__).parents[2] / "data" / "online_retail_excerpt.csv"


def url(path: Path) -> str:
    return f"sqlite:///{path}"


@pytest.mark.slow
def test_report_on_paper_and_as_json(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    report = tmp_path / "reports" / "report.json"
    assert main([str(EXCERPT), "--database", url(tmp_path / "shop.db"), "--report", str(report)]) == 0
    printed = capsys.readouterr().out
    assert "merchandise" in printed
    assert "14,337.10" in printed
    result = json.loads(report.read_text())
    assert result["classes"]["merchandise"]["amount"] == 14337.10
    assert main([str(EXCERPT), "--database", url(tmp_path / "shop.db")]) == 0
    assert "Nothing new" in capsys.readouterr().out


BAD = {
    "empty": b"",
    "wrong schema": b"a,b\n1,2\n",
    "noise": bytes(range(256)),
    "cut off": EXCERPT.read_bytes()[:-37],
}


@pytest.mark.slow
@pytest.mark.parametrize("name", BAD)
def test_a_bad_file_is_refused_before_the_shop_is_touched(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], name: str
) -> None:
    bad = tmp_path / "bad.csv"
    bad.write_bytes(BAD[name])
    shop = tmp_path / "shop.db"
    assert main([str(bad), "--database", url(shop)]) == 2
    assert not shop.exists()
    assert main([str(EXCERPT), "--database", url(shop)]) == 0
    before = hashlib.sha256(shop.read_bytes()).hexdigest()
    capsys.readouterr()
    assert main([str(EXCERPT), str(bad), "--database", url(shop)]) == 2
    assert hashlib.sha256(shop.read_bytes()).hexdigest() == before
    error = capsys.readouterr().err
    assert error.startswith("import-online-retail: ")
    assert str(bad) in error
    assert "Traceback" not in error


def test_a_directory_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([str(tmp_path), "--database", url(tmp_path / "shop.db")]) == 2
    assert "is a directory" in capsys.readouterr().err


@pytest.mark.parametrize("arguments", [["--rate", "0"], ["--rate", "much"], ["--time-zone", "Mars/Olympus"], []])
def test_bad_arguments(tmp_path: Path, arguments: list[str]) -> None:
    files = [str(EXCERPT)] if arguments else []
    with pytest.raises(SystemExit) as exit_:
        main([*files, "--database", url(tmp_path / "shop.db"), *arguments])
    assert exit_.value.code == 2
