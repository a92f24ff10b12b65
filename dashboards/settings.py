"""Where the dashboards find their data and the shop, from the environment."""

import os
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class DashboardSettings:
    """`var` holds the published snapshots; `shop_url` is the shop's API, which knows the staff."""

    var: Path
    shop_url: str

    @property
    def published(self) -> Path:
        """The folder of immutable snapshots and their pointer."""
        return self.var / "published"


def load_settings() -> DashboardSettings:
    """Read `MLT_VAR` and `MLT_SHOP_URL`."""
    return DashboardSettings(
        var=Path(os.environ.get("MLT_VAR", "var")).resolve(),
        shop_url=os.environ.get("MLT_SHOP_URL", "http://127.0.0.1:8000"),
    )
