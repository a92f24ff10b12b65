"""The dashboards as an ASGI application: Streamlit's pages behind our own entrance."""

from pathlib import Path

# Charts would load it when the first is drawn: a visitor who clicks on meanwhile meets it half loaded, and an error.
import pandas as pd  # noqa: F401
import streamlit as st
from starlette.middleware import Middleware

from dashboards.entrance import Guard, routes
from dashboards.lib.logins import logins

app = st.App(
    Path(__file__).with_name("app.py"),
    routes=routes(logins()),
    middleware=[Middleware(Guard, logins=logins())],
)
