"""Every setting of the shop, from the environment, with defaults that are safe to run on a desk."""

from functools import lru_cache
from pathlib import Path
from typing import Annotated, Any

from pydantic import AwareDatetime, BaseModel, BeforeValidator, ConfigDict, Field, SecretStr, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from transactional.core.gstin import checked_gstin

BANNED_IN_WEBHOOK_URLS = ("shiprocket", "kartrocket", "sr", "kr")


class WebhookSecret(BaseModel):
    """What webhooks are signed with, and until when it counts: after a change the old one signs repetitions."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    secret: SecretStr = Field(min_length=1)
    until: AwareDatetime | None = None
    """None: no end is known."""


def _bare_secret(value: Any) -> Any:
    return {"secret": value} if isinstance(value, str | SecretStr) else value


class Settings(BaseSettings):
    """Read once per process; `MLT_` prefixes every variable but `DATABASE_URL`."""

    model_config = SettingsConfigDict(env_prefix="MLT_", extra="ignore", populate_by_name=True)

    var: Path = Path("var")
    """Where everything lies that a run creates."""
    database_url_override: str | None = Field(default=None, alias="DATABASE_URL")
    base_currency: str = "INR"
    time_zone: str = "Asia/Kolkata"
    shop_name: str = "My Little Things"

    jwt_secret: SecretStr | None = None
    """Without it a random secret is kept under `var/` for this installation."""
    access_token_minutes: int = 15
    refresh_token_days: int = 30
    attempts_window_minutes: int = 15
    """Tries at passwords and registrations are counted within so long."""
    login_attempts_per_account: int = 10
    login_attempts_per_address: int = 100
    registrations_per_address: int = 50

    razorpay_base_url: str = "http://127.0.0.1:8010"
    """The local stand-in by default; `https://api.razorpay.com` in production."""
    razorpay_key_id: str = "rzp_test_local"
    razorpay_key_secret: SecretStr = SecretStr("local-stand-in-secret")
    razorpay_webhook_secrets: list[Annotated[WebhookSecret, BeforeValidator(_bare_secret)]] = Field(
        default_factory=list
    )
    """The newest first. Texts, or objects with `secret` and `until`."""
    razorpay_timeout_seconds: float = 10.0

    serving_url: str = "http://127.0.0.1:8001"
    serving_budget_ms: int = 150
    """How long a shopper waits for a recommendation before best sellers are shown instead."""

    hold_minutes: int = 15
    """How long unpaid orders keep their stock, points and coupon."""
    guest_hold_minutes: int | None = Field(default=None, ge=1)
    """The same for guests; without it they have as long as customers."""
    return_window_days: int = 14
    shipping_flat_minor: int = 9_900
    shipping_free_from_minor: int = 149_900
    """Both only where the shop keeps no rates by zone and weight in its currency."""
    shipping_default_item_grams: int = Field(default=250, ge=0)
    """What an article counts whose weight nobody recorded; with 0 such an order cannot be sent."""
    pickup_location: str = "Primary"
    """The nickname of our address at the carrier."""
    pickup_postal_code: str = "560001"
    shiprocket_base_url: str = "http://127.0.0.1:8020/v1/external"
    """The local stand-in by default; `https://apiv2.shiprocket.in/v1/external` in production."""
    shiprocket_email: str = ""
    """The API user. Without user and password the shop sends its parcels by itself."""
    shiprocket_password: SecretStr = SecretStr("")
    shiprocket_timeout_seconds: float = 15.0
    parcel_webhook_token: SecretStr = SecretStr("")
    """What the carrier sends as `x-api-key`; without it tracking webhooks are refused and parcels only polled."""
    parcel_webhook_url: str = "http://127.0.0.1:8000/v1/hooks/parcels"
    """Our address as typed into the carrier's panel, which forbids some words in it."""
    idempotency_hours: int = 48

    seller_name: str | None = None
    """Legal name on tax documents; the shop's name without it."""
    seller_address: str = "Bengaluru 560001"
    """Lines are separated by `;`."""
    seller_state: str = "Karnataka"
    seller_country: str = "IN"
    seller_gstin: str | None = None
    """Without it documents say that they are no tax invoices."""
    seller_email: str | None = None
    seller_phone: str | None = None
    export_with_tax: bool = False
    """Exports: zero-rated under a letter of undertaking, or with integrated tax that is claimed back."""
    export_undertaking: str | None = None
    shipping_sac: str = "996812"
    shipping_tax_bp: int = Field(default=1_800, ge=0, le=10_000)
    wrap_sac: str = "998540"
    wrap_tax_bp: int = Field(default=1_800, ge=0, le=10_000)
    document_footer: str = "Thank you for giving something made with care."
    fonts_dir: Path | None = None
    """Further fonts for documents, for scripts beyond those that come with the shop."""

    mail_transport: str = "file"
    """`file` writes messages under `var/mail`; `smtp` sends them to `smtp_url`."""
    smtp_url: SecretStr | None = None
    mail_from: str = "shop@localhost"
    alert_to: str | None = None
    """Who is mailed when somebody must look; the sender's own address when nobody is named."""
    stock_mail_to: str = "stock@localhost"
    """Who hears of low stock, of goods that came back and of parcels that were lost."""

    worker_in_process: bool = True
    log_level: str = "INFO"
    log_json: bool = True

    @field_validator("parcel_webhook_url")
    @classmethod
    def _without_banned_words(cls, url: str) -> str:
        """The carrier refuses an address with one of these words anywhere in it, host name included."""
        found = [word for word in BANNED_IN_WEBHOOK_URLS if word in url.lower()]
        if found:
            raise ValueError(f"the carrier takes no webhook address that contains {', '.join(found)}: {url}")
        return url

    @field_validator("seller_gstin")
    @classmethod
    def _true_gstin(cls, number: str | None) -> str | None:
        return checked_gstin(number) if number else None

    @property
    def database_url(self) -> str:
        """SQLite under `var/` unless `DATABASE_URL` names a server."""
        return self.database_url_override or f"sqlite:///{self.var.resolve() / 'shop.db'}"


@lru_cache(maxsize=1)
def get_settings() -> Settings:
    """This process's settings."""
    return Settings()
