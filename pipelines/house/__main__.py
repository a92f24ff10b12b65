"""`python -m pipelines.house demo|serve`."""

import argparse
import os
import sys
from pathlib import Path


def main() -> int:
    """Read the command and do it."""
    parser = argparse.ArgumentParser(prog="python -m pipelines.house", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    demo = commands.add_parser("demo", help="trade or import, refresh, train, answer; prints a summary")
    demo.add_argument(
        "--input", nargs="+", type=Path, default=[], metavar="FILE", help="real files instead of shoppers"
    )
    demo.add_argument("--customers", type=int, default=300)
    demo.add_argument("--days", type=int, default=730)
    demo.add_argument("--seed", type=int, default=7)
    commands.add_parser("serve", help="shop, serving, dashboards and Dagster together")
    args = parser.parse_args()
    var = Path(os.environ.get("MLT_VAR", "var")).resolve()
    # Children find the same folder whatever their working directory.
    os.environ["MLT_VAR"] = str(var)
    if args.command == "serve":
        from pipelines.house.serve import serve  # noqa: PLC0415  each command loads only what it needs

        return serve(var)
    from pipelines.house.demo import run  # noqa: PLC0415

    return run(var, args.input, customers=args.customers, days=args.days, seed=args.seed)


if __name__ == "__main__":
    sys.exit(main())
