"""`python -m benchmarks [NAME …] [--quick]`: one JSON object, on standard output and under `var/bench/`."""

import argparse
import json
import platform
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import psutil

from benchmarks import api, checkout, extraction, importing, lifetime, points, pricing, recommend, refresh
from benchmarks.shops import FOLDER, bulk_shop


def _all(quick: bool) -> dict[str, Callable[[], dict[str, Any]]]:
    sizes = (2_000, 20_000) if quick else (100_000, 1_000_000)
    return {
        "lifetime": lambda: lifetime.run(50_000 if quick else 1_000_000),
        "import": importing.run,
        "recommend": lambda: recommend.run(200 if quick else 1_000),
        "api": lambda: api.run(300, 40) if quick else api.run(),
        "checkout": lambda: checkout.run(2_000, seconds=3) if quick else checkout.run(),
        "points": lambda: points.run(1_000, 50) if quick else points.run(),
        "pricing": lambda: pricing.run(50 if quick else 500),
        "extraction": lambda: extraction.run(bulk_shop(sizes[0])[0].url),
        "refresh": lambda: refresh.run(sizes),
    }


def main() -> int:
    """Run what was asked for; a benchmark that fails is reported and does not stop the others."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("names", nargs="*", help="which; all by default: " + ", ".join(_all(quick=True)))
    parser.add_argument("--quick", action="store_true", help="small sizes: does everything still run?")
    args = parser.parse_args()
    available = _all(args.quick)
    unknown = set(args.names) - set(available)
    if unknown:
        parser.error(f"no such benchmark: {', '.join(sorted(unknown))}")
    results: dict[str, Any] = {
        "machine": {"cores": psutil.cpu_count(), "memory_gb": round(psutil.virtual_memory().total / 1e9, 1),
                    "python": platform.python_version(), "load_at_start": psutil.getloadavg()[0]},
        "quick": args.quick,
    }  # fmt: skip
    failed = False
    for name in args.names or available:
        sys.stderr.write(f"{name} …\n")
        try:
            results[name] = available[name]()
        except Exception as error:  # noqa: BLE001  the others are still worth measuring
            failed = True
            results[name] = {"failed": f"{type(error).__name__}: {error}"}
    FOLDER.mkdir(parents=True, exist_ok=True)
    text = json.dumps(results, indent=2)
    (FOLDER / f"{datetime.now(UTC):%Y%m%dT%H%M%SZ}.json").write_text(text, encoding="utf-8")
    sys.stdout.write(text + "\n")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
