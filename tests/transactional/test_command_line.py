"""The command line as a user meets it: real processes."""

import json
import os
import signal
import socket
import subprocess
import sys
import threading
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from transactional.__main__ import COMMANDS, main
from transactional.core.db import make_engine
from transactional.schema import pending_revision
from transactional.settings import get_settings


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    clean = {name: value for name, value in os.environ.items() if name != "DATABASE_URL"}
    return clean | {"MLT_VAR": str(tmp_path / "var"), "PYTHONUNBUFFERED": "1"}


@pytest.fixture
def own_settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    monkeypatch.setenv("MLT_VAR", str(tmp_path))
    monkeypatch.delenv("DATABASE_URL", raising=False)
    get_settings.cache_clear()
    yield tmp_path
    get_settings.cache_clear()


def run(environment: dict[str, str], *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "transactional", *arguments]
    return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=120, check=False)


@pytest.mark.slow
def test_help_names_every_command(environment: dict[str, str]) -> None:
    answer = run(environment, "--help")
    assert answer.returncode == 0
    assert all(name in answer.stdout for name in COMMANDS)


@pytest.mark.parametrize(
    "arguments", [[], ["nonsense"], ["serve", "--port", "eighty"], ["serve", "--workers", "0"], ["serve", "--nonsense"]]
)
def test_bad_usage_ends_with_code_2(arguments: list[str], own_settings: Path) -> None:
    with pytest.raises(SystemExit) as end:
        main(arguments)
    assert end.value.code == 2
    assert not (own_settings / "shop.db").exists()


@pytest.mark.parametrize(
    ("name", "value", "word"),
    [
        ("DATABASE_URL", "nonsense://", "DATABASE_URL"),
        ("DATABASE_URL", "not a url", "DATABASE_URL"),
        ("DATABASE_URL", "postgresql://nobody@127.0.0.1:1/none", "cannot be used"),
        ("MLT_RETURN_WINDOW_DAYS", "soon", "return_window_days"),
    ],
)
def test_bad_settings_are_named(
    own_settings: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    name: str,
    value: str,
    word: str,
) -> None:
    monkeypatch.setenv(name, value)
    get_settings.cache_clear()
    assert main(["migrate"]) == 2
    assert word in capsys.readouterr().err


@pytest.mark.slow
def test_migrate_brings_an_empty_database_to_the_present_schema(
    own_settings: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["migrate"]) == 0
    assert main(["migrate"]) == 0
    assert "is at head" in capsys.readouterr().out
    assert pending_revision(make_engine(f"sqlite:///{own_settings / 'shop.db'}")) is None


@pytest.mark.postgres
def test_a_server_is_not_migrated_unasked(
    own_settings: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], postgres_url: str
) -> None:
    monkeypatch.setenv("DATABASE_URL", postgres_url)  # the server's own database: empty
    get_settings.cache_clear()
    assert main(["serve"]) == 2
    assert "python -m transactional migrate" in capsys.readouterr().err
    assert pending_revision(make_engine(postgres_url)) is not None


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def ask(url: str, process: subprocess.Popen[str], *, patience: float = 60) -> dict[str, str]:
    """The answer of a server that is starting."""
    pause = threading.Event()
    for _ in range(int(patience / 0.1)):
        assert process.poll() is None, process.communicate()
        try:
            with urllib.request.urlopen(url, timeout=5) as answer:
                found: dict[str, str] = json.load(answer)
                return found
        except urllib.error.URLError:
            pause.wait(0.1)
    raise AssertionError(f"{url} did not answer")


@pytest.mark.slow
@pytest.mark.parametrize("processes", ["1", "2"])
def test_serve_prepares_its_own_sqlite_and_stops_cleanly(environment: dict[str, str], processes: str) -> None:
    port = free_port()
    command = [sys.executable, "-m", "transactional", "serve", "--port", str(port), "--workers", processes]
    with subprocess.Popen(
        command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        try:
            assert ask(f"http://127.0.0.1:{port}/ready", process) == {"status": "ok"}
        finally:
            process.send_signal(signal.SIGTERM)
            _, errors = process.communicate(timeout=60)
    lines = [json.loads(line) for line in errors.splitlines() if line.startswith("{")]
    events = [line["event"] for line in lines]
    assert {"worker started", "request", "worker stopped"} <= set(events)
    assert events.count("worker started") == 1, "one worker does the outbox, however many processes answer"
    assert "Traceback" not in errors


@pytest.mark.slow
def test_the_worker_process_stops_when_told(environment: dict[str, str]) -> None:
    command = [sys.executable, "-m", "transactional", "worker"]
    with subprocess.Popen(command, env=environment, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        started = next(line for line in process.stderr if "worker started" in line)
        assert json.loads(started)["logger"] == "transactional.worker"
        process.send_signal(signal.SIGTERM)
        _, errors = process.communicate(timeout=60)
    assert process.returncode == 0
    assert "worker stopped" in errors
