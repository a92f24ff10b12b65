"""A person at a real browser: logs in, opens every page, finds the shop's figures."""

import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from dashboards.lib.logins import COOKIE
from pipelines.house.processes import Server, free_port, running
from tests.support.house import House

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
EMAIL, PASSWORD = "analyst@example.com", "correct horse battery staple"
PAGES = {"Overview": "", "Customers": "customers", "Products": "products", "Data health": "data_health"}
POINTS = """
SELECT sum(balance_points)::BIGINT AS points, count(*) FILTER (state = 'active' AND points > 0) AS tiers,
       (SELECT sum(points)::BIGINT FROM marts.fct_points) AS booked,
       (SELECT sum(balance_points)::BIGINT FROM marts.loyalty_liability
        WHERE date_day = (SELECT as_of_day FROM marts.dim_shop)) AS shown
FROM marts.loyalty_liability WHERE date_day = (SELECT max(date_day) FROM marts.loyalty_liability)
"""
PARCELS = """
SELECT count(*) AS parcels,
       count(*) FILTER (is_rto) / count(*) FILTER (is_rto OR status IN ('delivered', 'lost', 'damaged')) AS rto_rate
FROM marts.fct_shipments WHERE kind = 'forward' AND shipped_day IS NOT NULL
"""

pytestmark = [
    pytest.mark.browser,
    pytest.mark.slow,
    pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on this machine: install the package `chromium`"),
]


@contextmanager
def serving(house: House) -> Iterator[str]:
    """The dashboards of a house and the shop that knows its staff; gives their address."""
    house.run("transactional", "create-admin", "--email", EMAIL, "--password", PASSWORD)
    shop, eyes = free_port(), free_port()
    env = house.env(MLT_SHOP_URL=f"http://127.0.0.1:{shop}")
    servers = [
        Server("shop", ["transactional", "serve", "--port", str(shop)], f"http://127.0.0.1:{shop}/health", env),
        Server("eyes", ["dashboards", "serve", "--port", str(eyes)], f"http://127.0.0.1:{eyes}/_stcore/health", env),
    ]
    with running(servers, log_folder=house.var / "logs"):
        yield f"http://127.0.0.1:{eyes}"


@pytest.fixture(scope="module")
def dashboards(house: House) -> Iterator[str]:
    with serving(house) as url:
        yield url


@pytest.fixture(scope="module")
def page(dashboards: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[object]:
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=CHROMIUM,
            args=["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update"],
        )
        page = browser.new_page(viewport={"width": 1280, "height": 1600})
        page.set_default_timeout(60_000)
        log_in(page, dashboards)
        yield page
        browser.close()


def log_in(page, url: str, *, arriving_at: str = "Overview") -> None:
    """Open an address of the dashboards as a new visitor and log in there."""
    page.context.clear_cookies()
    page.goto(url)
    page.get_by_label("E-mail").fill(EMAIL)
    page.get_by_role("textbox", name="Password").fill(PASSWORD)
    page.get_by_role("button", name="Log in").click()
    page.get_by_role("heading", name=arriving_at, exact=True, level=1).wait_for()


def open_page(page, title: str) -> str:
    """Click a page in the navigation, wait until it has settled, give its text."""
    page.get_by_test_id("stSidebarNav").get_by_role("link", name=title).click()
    page.get_by_role("heading", name=title, exact=True, level=1).wait_for()
    page.get_by_text("Table and CSV").first.wait_for()
    page.locator("[data-testid=stStatusWidget]").wait_for(state="detached")
    assert page.get_by_test_id("stException").count() == 0
    return page.get_by_test_id("stMain").inner_text()


class TestInABrowser:
    def test_a_stranger_sees_only_the_log_in(self, dashboards: str, page) -> None:
        stranger = page.context.browser.new_page()
        stranger.goto(dashboards)
        stranger.get_by_role("button", name="Log in").wait_for(timeout=60_000)
        assert "Net merchandise" not in stranger.content()
        stranger.get_by_label("E-mail").fill(EMAIL)
        stranger.get_by_role("textbox", name="Password").fill("wrong")
        stranger.get_by_role("button", name="Log in").click()
        stranger.get_by_text("E-mail or password is not right").wait_for()
        stranger.close()

    @pytest.mark.parametrize("title", PAGES)
    def test_every_page_opens_without_an_error(self, page, title: str, house: House) -> None:
        text = open_page(page, title)
        shots = Path(house.var) / "screenshots"
        shots.mkdir(exist_ok=True)
        page.screenshot(path=str(shots / f"{title}.png"), full_page=True)
        assert "Table and CSV" in text
        assert page.get_by_text("Data as of").count() >= 1

    def test_the_overview_shows_the_shops_own_figures(self, page, house: House, dashboards: str) -> None:
        log_in(page, f"{dashboards}/?period=all&compare=none")
        total = house.summary["totals"][0]
        orders = f"{total['orders']:,}"
        net = f"£{float(total['net_merchandise']):,.2f}"
        page.get_by_test_id("stMetricValue").get_by_text(net, exact=True).wait_for()
        page.get_by_test_id("stMetricValue").get_by_text(orders, exact=True).wait_for()

    def test_a_chart_gives_its_table_as_csv(self, page, house: House, dashboards: str) -> None:
        open_page(page, "Products")
        page.get_by_text("Table and CSV").first.click()
        with page.expect_download() as download:
            page.get_by_role("button", name="Download CSV").first.click()
        content = Path(download.value.path()).read_text(encoding="utf-8-sig")
        assert house.summary["best_sellers"][0]["sku"] in content
        assert house.summary["recommendations"]["build_id"] in download.value.suggested_filename

    def test_a_reload_keeps_the_login_and_logging_out_ends_it_everywhere(self, dashboards: str, page) -> None:
        context = page.context.browser.new_context()
        tab, other_tab = context.new_page(), context.new_page()
        log_in(tab, f"{dashboards}/customers?segment=loyal", arriving_at="Customers")
        assert tab.url == f"{dashboards}/customers?segment=loyal"
        [cookie] = [cookie for cookie in context.cookies() if cookie["name"] == COOKIE]
        assert cookie["httpOnly"]
        assert COOKIE not in tab.evaluate("document.cookie")
        tab.reload()
        other_tab.goto(f"{dashboards}/products")
        for reached, title in ((tab, "Customers"), (other_tab, "Products")):
            reached.get_by_role("heading", name=title, exact=True, level=1).wait_for(timeout=60_000)
        tab.get_by_role("button", name="Log out").click()
        tab.get_by_label("E-mail").wait_for(timeout=60_000)
        other_tab.reload()
        other_tab.get_by_label("E-mail").wait_for(timeout=60_000)
        context.close()

    def test_operations_of_a_shop_without_parcels_say_so(self, dashboards: str, page) -> None:
        log_in(page, f"{dashboards}/operations?period=all", arriving_at="Operations")
        for word in (
            "No order waits for anything.",
            "No parcel was handed over in this period.",
            "Nothing is out of stock, low or at risk.",
            "Our books and the gateway's agree to the smallest unit.",
        ):
            page.get_by_text(word).wait_for()
        assert page.get_by_test_id("stException").count() == 0

    def test_marketing_of_a_shop_without_points_and_offers_says_so(self, dashboards: str, page) -> None:
        log_in(page, f"{dashboards}/marketing?period=all", arriving_at="Marketing")
        for word in (
            "nobody has earned points",
            "No points moved in this period.",
            "No offer of this shop was ever used.",
            "The shop has no affiliates.",
            "No customer invites others.",
            "No commission moved in this period.",
        ):
            page.get_by_text(word).first.wait_for()
        assert page.get_by_test_id("stException").count() == 0


class TestATradingShop:
    def test_parcels_stock_and_payments_are_the_warehouses(self, simulated_house: House, page) -> None:
        [expected] = json.loads(simulated_house.run("pipelines", "query", PARCELS, "--format", "json").stdout)
        with serving(simulated_house) as url:
            log_in(page, f"{url}/operations?period=all", arriving_at="Operations")
            tile = page.get_by_test_id("stMetric").filter(has_text="Parcels handed over")
            tile.get_by_text(f"{expected['parcels']:,}", exact=True).wait_for()
            rto = page.get_by_test_id("stMetric").filter(has_text="RTO rate")
            rto.get_by_text(f"{expected['rto_rate']:.1%}", exact=True).wait_for()
            page.get_by_role("heading", name="Payment differences").wait_for()
            page.locator("[data-testid=stStatusWidget]").wait_for(state="detached")
            assert page.get_by_test_id("stException").count() == 0
            couriers = page.get_by_test_id("stExpander").filter(has=page.locator(".st-key-csv-courier_performance"))
            couriers.get_by_text("Table and CSV").click()
            with page.expect_download() as download:
                couriers.get_by_role("button", name="Download CSV").click()
            assert "rto_rate" in Path(download.value.path()).read_text(encoding="utf-8-sig")
            page.set_viewport_size({"width": 390, "height": 844})
            page.get_by_role("heading", name="Parcels", exact=True).wait_for()
            assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")

    def test_points_are_the_ledgers_and_the_page_is_its_address(self, simulated_house: House, page) -> None:
        [expected] = json.loads(simulated_house.run("pipelines", "query", POINTS, "--format", "json").stdout)
        assert expected["points"] == expected["booked"] > 0
        with serving(simulated_house) as url:
            page.set_viewport_size({"width": 1280, "height": 1600})
            log_in(page, f"{url}/marketing?period=all&compare=none", arriving_at="Marketing")
            tile = page.get_by_test_id("stMetric").filter(has_text="Points outstanding")
            tile.get_by_text(f"{expected['shown']:,}", exact=True).wait_for()
            page.get_by_role("heading", name="Uplift", exact=True).wait_for()
            page.locator("[data-testid=stStatusWidget]").wait_for(state="detached")
            assert page.get_by_test_id("stException").count() == 0
            tiers = page.get_by_test_id("stExpander").filter(has=page.locator(".st-key-csv-tiers"))
            tiers.get_by_text("Table and CSV").click()
            with page.expect_download() as download:
                tiers.get_by_role("button", name="Download CSV").click()
            assert "members" in Path(download.value.path()).read_text(encoding="utf-8-sig")
            page.goto(f"{url}/marketing?period=all&compare=none&wallet=promotional")
            page.locator("input[role=combobox][value=promotional]").wait_for()
            assert "wallet=promotional" in page.url
            page.set_viewport_size({"width": 390, "height": 844})
            page.get_by_role("heading", name="Referrals", exact=True).wait_for()
            assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
