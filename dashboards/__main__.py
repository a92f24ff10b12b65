"""`python -m dashboards serve`: the analysts' pages on port 8501."""

import argparse
import os
import sys
from pathlib import Path

_OPTIONS = {
    "browser.gatherUsageStats": "false",
    "server.headless": "true",
    "server.fileWatcherType": "none",
    "client.toolbarMode": "minimal",
    "client.showErrorDetails": "none",
    "theme.primaryColor": "#b4436c",
    "theme.font": "sans-serif",
}


def main() -> int:
    """Replace this process by Streamlit's, with the house's options."""
    parser = argparse.ArgumentParser(prog="python -m dashboards", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    serve = commands.add_parser("serve", help="serve the dashboards")
    serve.add_argument("--host", default="127.0.0.1")
    serve.add_argument("--port", type=int, default=8501)
    args = parser.parse_args()
    options = _OPTIONS | {"server.address": args.host, "server.port": str(args.port)}
    flags = [f"--{key}={value}" for key, value in options.items()]
    application = Path(__file__).with_name("server.py")
    command = [sys.executable, "-m", "streamlit", "run", str(application), *flags]
    os.execv(sys.executable, command)  # noqa: S606  our own interpreter and options


if __name__ == "__main__":
    sys.exit(main())
