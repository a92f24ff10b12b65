"""The dashboards as an ASGI application: Streamlit's pages behind our own entrance."""

from pathlib import Path

import streamlit as st
from starlette.middleware import Middleware

from dashboards.entrance import Guard, routes
from dashboards.lib.logins import logins

app = st.App(
    Path(__file__).with_name("app.py"),
    routes=routes(logins()),
    middleware=[Middleware(Guard, logins=logins())],
)
