"""`python -m models_ml evaluate PROTOCOL --input FILE [--input FILE] --cutoff DATE --out JSON`."""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import Path

from models_ml.evaluation.protocols import cdnow, clv, fbt, groceries, rec, trend
from models_ml.evaluation.protocols.online_retail import InputError
from models_ml.evaluation.protocols.report import Report
from models_ml.lifetime.fitting import ConvergenceError

WITH_CUTOFF: dict[str, Callable[[list[Path], datetime, int], Report]] = {
    "or-rec": rec.evaluate,
    "or-fbt": fbt.evaluate,
    "or-trend": trend.evaluate,
    "or-clv": clv.evaluate,
}
WITHOUT_CUTOFF: dict[str, Callable[[list[Path], int], Report]] = {
    "cdnow": cdnow.evaluate,
    "groceries": groceries.evaluate,
}
_BAD_INPUT = 2


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; 0 on success, 2 on input that cannot be evaluated."""
    options = _parser().parse_args(arguments)
    if options.protocol in WITH_CUTOFF and options.cutoff is None:
        print(f"{options.protocol} needs --cutoff DATE", file=sys.stderr)
        return _BAD_INPUT
    started = time.perf_counter()
    try:
        report = _run(options)
    except (InputError, ConvergenceError) as error:
        print(f"error: {error}", file=sys.stderr)
        return _BAD_INPUT
    report.seconds = round(time.perf_counter() - started, 2)
    report.write(options.out)
    print(f"{report.protocol}: {', '.join(f'{name} {value:,}' for name, value in report.counts.items())}")
    print(report.table())
    print(f"{report.seconds} s; written to {options.out}")
    return 0


def _run(options: argparse.Namespace) -> Report:
    if options.protocol in WITH_CUTOFF:
        return WITH_CUTOFF[options.protocol](options.input, options.cutoff, options.seed)
    return WITHOUT_CUTOFF[options.protocol](options.input, options.seed)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m models_ml", description="The shop's models.")
    commands = parser.add_subparsers(dest="command", required=True)
    evaluate = commands.add_parser("evaluate", help="run an evaluation protocol on files")
    evaluate.add_argument("protocol", choices=sorted({*WITH_CUTOFF, *WITHOUT_CUTOFF}))
    evaluate.add_argument("--input", action="append", required=True, type=Path, metavar="FILE")
    evaluate.add_argument("--cutoff", type=_date, metavar="DATE", help="YYYY-MM-DD; the future begins here")
    evaluate.add_argument("--out", required=True, type=Path, metavar="JSON")
    evaluate.add_argument("--seed", type=int, default=0)
    return parser


def _date(text: str) -> datetime:
    try:
        return datetime.fromisoformat(text).replace(tzinfo=None)
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"{text!r} is not a date like 2010-09-01") from error


if __name__ == "__main__":
    sys.exit(main())
