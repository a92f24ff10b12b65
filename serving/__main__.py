"""The command line: `python -m serving serve`."""

import argparse
import logging

import uvicorn

from serving.app import create_app


def main() -> int:
    """Parse the arguments and serve until told to stop."""
    parser = argparse.ArgumentParser(prog="python -m serving", description="Recommendations over HTTP")
    commands = parser.add_subparsers(dest="command", required=True)
    serve = commands.add_parser("serve", help="answer until stopped")
    serve.add_argument("--host", default="127.0.0.1")
    serve.add_argument("--port", type=int, default=8001)
    arguments = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    uvicorn.run(create_app(), host=arguments.host, port=arguments.port, log_level="warning", access_log=False)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
