"""A whole house in a folder of its own, built by the commands a newcomer would run, behind a socket guard."""

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
GUARD = ROOT / "tests" / "house" / "guard"


@dataclass(frozen=True)
class House:
    """A `var/` in which the demo has run, with what it printed and what the socket guard saw."""

    var: Path
    printed: str
    progress: str
    guard_log: Path

    @property
    def summary(self) -> dict[str, Any]:
        """The demo's summary as it lies on disk."""
        content: dict[str, Any] = json.loads((self.var / "demo" / "summary.json").read_text(encoding="utf-8"))
        return content

    def env(self, **more: str) -> dict[str, str]:
        """The environment of a process of this house."""
        return house_env(self.var, self.guard_log) | more

    def run(self, *arguments: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        """`python -m …` in this house."""
        return subprocess.run(
            [sys.executable, "-m", *arguments],
            cwd=ROOT,
            env=self.env(),
            capture_output=True,
            text=True,
            check=check,
            timeout=600,
        )


def house_env(var: Path, guard_log: Path) -> dict[str, str]:
    """Guarded, telemetry off, everything under `var`; nothing of the caller's own shop leaks in."""
    env = {key: value for key, value in os.environ.items() if not key.startswith("MLT_") and key != "DATABASE_URL"}
    return env | {
        "MLT_VAR": str(var),
        "MLT_SOCKET_GUARD_LOG": str(guard_log),
        "PYTHONPATH": os.pathsep.join([str(GUARD), str(ROOT)]),
    }


def build_house(folder: Path, *demo_arguments: str) -> House:
    """Run the demo in `folder`; raises AssertionError with its words when it fails."""
    var, guard_log = folder / "var", folder / "connections.log"
    done = subprocess.run(
        [sys.executable, "-m", "pipelines.house", "demo", *demo_arguments],
        cwd=ROOT,
        env=house_env(var, guard_log),
        capture_output=True,
        text=True,
        check=False,
        timeout=900,
    )
    assert done.returncode == 0, f"the demo failed:\n{done.stdout[-4000:]}\n{done.stderr[-6000:]}"
    return House(var=var, printed=done.stdout, progress=done.stderr, guard_log=guard_log)
