"""Logins of the dashboards, with the shop's own accounts behind them: they survive a reload, and end when they must."""

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from httpx import Response
from sqlalchemy import text
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from dashboards.entrance import Guard, login_url, routes
from dashboards.lib.access import LoginRefusedError, ShopAccounts, ShopUnreachableError
from dashboards.lib.logins import COOKIE, IDLE_SECONDS, LIFETIME_SECONDS, RENEW_AFTER_SECONDS, Logins
from tests.support.house import ROOT
from tests.support.web import PASSWORD, make_client, make_staff, register
from transactional.core.access import Actor
from transactional.core.permissions import PERMISSIONS
from transactional.core.uow import Database
from transactional.staff import service as staff

ANALYST, STRANGER = "meera@example.com", "asha@example.com"


class Seconds:
    """A clock that counts seconds and moves only when told."""

    def __init__(self) -> None:
        self.now = 1_000_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def seconds() -> Seconds:
    return Seconds()


@pytest.fixture
def analyst(database: Database) -> int:
    """A manager, who may read the figures."""
    return make_staff(database, ANALYST)


@pytest.fixture
def shop(database: Database, tmp_path: Path, analyst: int) -> TestClient:
    return make_client(database, tmp_path)


@pytest.fixture
def logins(shop: TestClient, seconds: Seconds) -> Logins:
    return Logins(ShopAccounts(shop), clock=seconds)


@pytest.fixture
def browser(logins: Logins) -> TestClient:
    """The entrance before pages that only say that they were reached."""

    async def page(_request: object) -> PlainTextResponse:
        return PlainTextResponse("figures")

    paths = ("/", "/customers", "/media/export.csv", "/_stcore/health")
    app = Starlette(
        routes=[*routes(logins), *(Route(path, page) for path in paths)], middleware=[Middleware(Guard, logins=logins)]
    )
    return TestClient(app, follow_redirects=False, headers={"accept": "text/html"})


def enter(browser: TestClient, *, path: str = "/login", **fields: str) -> Response:
    form = {"email": ANALYST, "password": PASSWORD} | fields
    answer: Response = browser.post(path, data=form, headers={"origin": "http://testserver"})
    return answer


class TestLogins:
    def test_a_token_tells_who_it_is_and_nothing_else_does(self, logins: Logins) -> None:
        token = logins.begin(ANALYST, PASSWORD)
        viewer = logins.viewer(token)
        assert viewer is not None
        assert viewer.email == ANALYST
        assert viewer.may("read_analytics")
        assert logins.viewer(token) == viewer
        for other in (None, "", token[:-1], token + "x", ANALYST):
            assert logins.viewer(other) is None
            assert not logins.knows(other)

    def test_a_wrong_password_and_a_shopper_are_refused(self, logins: Logins, database: Database) -> None:
        register(database, STRANGER)
        with pytest.raises(LoginRefusedError, match="not right"):
            logins.begin(ANALYST, "wrong password")
        with pytest.raises(LoginRefusedError, match="read_analytics"):
            logins.begin(STRANGER, PASSWORD)

    @pytest.mark.slow
    @pytest.mark.parametrize(
        ("step", "steps"), [(LIFETIME_SECONDS, 1), (IDLE_SECONDS, 1), (IDLE_SECONDS - 1, 7)],
        ids=["after a working day", "when nobody looks", "though somebody looked all day"],
    )  # fmt: skip
    def test_a_login_runs_out(self, logins: Logins, seconds: Seconds, step: int, steps: int) -> None:
        token = logins.begin(ANALYST, PASSWORD)
        for _ in range(steps):
            assert logins.knows(token)
            seconds.now += step
            logins.viewer(token)
        assert not logins.knows(token)
        assert logins.viewer(token) is None

    def test_a_look_keeps_it_alive(self, logins: Logins, seconds: Seconds) -> None:
        token = logins.begin(ANALYST, PASSWORD)
        for _ in range(3):
            seconds.now += IDLE_SECONDS - 1
            assert logins.viewer(token) is not None

    def test_a_right_that_was_taken_away_closes_the_pages(
        self, logins: Logins, seconds: Seconds, database: Database, analyst: int
    ) -> None:
        token = logins.begin(ANALYST, PASSWORD)
        everything = Actor(user_id=0, permissions=PERMISSIONS)
        database.run(
            lambda s: staff.revoke_role(s, actor=everything, user_id=analyst, role_key="manager"), actor="test"
        )
        assert logins.viewer(token) is not None  # the shop is not asked for every click
        seconds.now += RENEW_AFTER_SECONDS
        assert logins.viewer(token) is None
        assert not logins.knows(token)

    def test_many_tabs_renew_once(self, logins: Logins, seconds: Seconds) -> None:
        """A refresh token that is used twice looks stolen, and the shop would end the session."""
        token = logins.begin(ANALYST, PASSWORD)
        for _ in range(2):
            seconds.now += RENEW_AFTER_SECONDS
            with ThreadPoolExecutor(8) as tabs:
                seen = list(tabs.map(lambda _tab: logins.viewer(token), range(8)))
            assert all(seen)

    def test_logging_out_ends_the_session_at_the_shop_too(
        self, shop: TestClient, seconds: Seconds, database: Database
    ) -> None:
        accounts = ShopAccounts(shop)
        logins = Logins(accounts, clock=seconds)
        kept = accounts.log_in(ANALYST, PASSWORD)
        token = logins.begin(ANALYST, PASSWORD)
        logins.end(token)
        logins.end(token)
        logins.end(None)
        assert not logins.knows(token)
        with database.engine.connect() as connection:
            live = connection.scalar(text("SELECT count(*) FROM refresh_tokens WHERE revoked_at IS NULL"))
        assert live == 1
        assert accounts.renew(kept).viewer.email == ANALYST  # the person's other sessions live on

    def test_a_shop_that_does_not_answer_keeps_everybody_out_but_ends_nothing(
        self, shop: TestClient, seconds: Seconds, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        import httpx

        logins = Logins(ShopAccounts(shop), clock=seconds)
        token = logins.begin(ANALYST, PASSWORD)
        seconds.now += RENEW_AFTER_SECONDS
        with monkeypatch.context() as cut:

            def nobody_there(*_args: object, **_kwargs: object) -> None:
                raise httpx.ConnectError("refused")

            cut.setattr(shop, "request", nobody_there)
            with pytest.raises(ShopUnreachableError, match="does not answer"):
                logins.viewer(token)
            with pytest.raises(ShopUnreachableError):
                logins.begin(ANALYST, PASSWORD)
        assert logins.viewer(token) is not None


class TestEntrance:
    def test_the_cookie_is_out_of_scripts_reach_and_survives_a_reload(self, browser: TestClient) -> None:
        assert browser.get("/customers?segment=vip").headers["location"] == "/login?next=%2Fcustomers%3Fsegment%3Dvip"
        answer = enter(browser, path="/login?next=%2Fcustomers%3Fsegment%3Dvip")
        assert answer.status_code == 303
        assert answer.headers["location"] == "/customers?segment=vip"
        [cookie] = answer.headers.get_list("set-cookie")
        assert cookie.startswith(f"{COOKIE}=")
        assert {"HttpOnly", "SameSite=lax", "Path=/", f"Max-Age={LIFETIME_SECONDS}"} <= set(cookie.split("; "))
        for _ in range(2):
            assert browser.get("/customers").text == "figures"
        assert browser.get("/login").headers["location"] == "/"

    def test_a_cookie_set_over_https_stays_there(self, browser: TestClient) -> None:
        browser.base_url = "https://testserver"
        answer = browser.post("/login", data={"email": ANALYST, "password": PASSWORD})
        assert "Secure" in answer.headers["set-cookie"]

    def test_strangers_get_neither_pages_nor_files(self, browser: TestClient) -> None:
        assert browser.get("/").status_code == 303
        assert browser.get("/").headers["location"] == "/login"
        export = browser.get("/media/export.csv", headers={"accept": "text/csv"})
        assert (export.status_code, export.text) == (401, "Log in first.")
        assert browser.get("/_stcore/health").text == "figures"
        browser.cookies.set(COOKIE, "forged")
        assert browser.get("/customers").status_code == 303

    def test_a_wrong_password_says_so_and_keeps_the_address(self, browser: TestClient) -> None:
        answer = enter(browser, path="/login?next=%2Fcustomers", email='"><script>', password="wrong")
        assert answer.status_code == 401
        assert "E-mail or password is not right" in answer.text
        assert 'action="/login?next=%2Fcustomers"' in answer.text
        assert "<script>" not in answer.text
        assert "set-cookie" not in answer.headers
        assert "no-store" in answer.headers["cache-control"]

    @pytest.mark.parametrize(
        "headers", [{"origin": "https://evil.example"}, {"sec-fetch-site": "cross-site"}, {"origin": "null"}]
    )
    def test_another_site_cannot_log_anybody_in(self, browser: TestClient, headers: dict[str, str]) -> None:
        answer = browser.post("/login", data={"email": ANALYST, "password": PASSWORD}, headers=headers)
        assert answer.status_code == 403
        assert "set-cookie" not in answer.headers

    @pytest.mark.slow
    @pytest.mark.parametrize(
        "elsewhere", ["https://evil.example", "//evil.example", "/\\evil.example", "javascript:alert(1)", "/login", ""]
    )
    def test_nobody_is_sent_to_another_site(self, browser: TestClient, elsewhere: str) -> None:
        answer = enter(browser, path=login_url(elsewhere))
        assert answer.headers["location"] == "/"

    def test_a_body_that_is_no_form_is_refused(self, browser: TestClient) -> None:
        assert browser.post("/login", content=b"x" * 20_000).status_code == 413
        assert browser.post("/login", content=b"\xff\x00").status_code == 401

    def test_a_new_login_ends_the_one_before(self, browser: TestClient, logins: Logins) -> None:
        enter(browser)
        first = browser.cookies[COOKIE]
        enter(browser)
        assert browser.cookies[COOKIE] != first
        assert not logins.knows(first)


def test_streamlit_finds_no_folder_whose_pages_it_would_run_by_itself() -> None:
    """It would run them for everybody who asks, past the question who looks."""
    assert not (Path(__file__).parents[2] / "dashboards" / "pages").exists()


@pytest.mark.slow
def test_what_charts_load_late_is_loaded_before_the_first_visitor_comes() -> None:
    """Two pages drawn at once would import it at once, and one of them would find it half loaded."""
    code = "import sys, dashboards.server; print('pandas' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)
    assert done.stdout.strip().splitlines()[-1] == "True"
