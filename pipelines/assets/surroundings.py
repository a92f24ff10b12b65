"""What lies around the pipelines, so that the lineage goes from the shop's tables to the screen."""

import dagster as dg

from pipelines.assets.common import SNAPSHOT, shop, shop_tables
from pipelines.assets.training import NAMES
from pipelines.settings import ROOT

PAGES = ROOT / "dashboards" / "views"
SHELVES = ("discover", "buy_again", "bought_together", "similar", "popularity")


def shop_specs() -> list[dg.AssetSpec]:
    """The shop's tables: written by the shop, read by extraction."""
    return [
        dg.AssetSpec(shop(table), group_name="shop", description=f"The shop's table `{table}`.")
        for table in shop_tables()
    ]


def page_specs() -> list[dg.AssetSpec]:
    """Every dashboard page reads the published snapshot."""
    pages = sorted(path.stem for path in PAGES.glob("*.py") if not path.stem.startswith("_"))
    return [
        dg.AssetSpec(
            ["dashboards", page], deps=[SNAPSHOT], group_name="screens", description=f"The dashboard page `{page}`."
        )
        for page in pages
    ]


def answer_specs() -> list[dg.AssetSpec]:
    """Recommendations come from the champions; predictions reach the marts with the next refresh."""
    models = [dg.AssetKey(["models", name]) for name in NAMES]
    shelves = [key for key in models if key.path[-1] in SHELVES]
    return [
        dg.AssetSpec(
            ["serving", "recommendations"],
            deps=[SNAPSHOT, *shelves],
            group_name="screens",
            description="What shoppers are shown, by the serving process.",
        )
    ]
