"""The gateway's error answers: HTTP status and the body `{"error": {…}}`."""

from typing import Any

NOT_APPLICABLE = "NA"

AMOUNT_TOO_SMALL = "The amount must be at least INR 1.00"
AMOUNT_NOT_INTEGER = "The amount must be an integer."
UNKNOWN_ID = "The id provided does not exist"
UNKNOWN_URL = "The requested URL was not found on the server."
CAPTURE_AMOUNT = "Capture amount must be equal to the amount authorized."
ALREADY_PAID = (
    "Your payment has been declined as the order is already paid. Please initiate the payment with a new order."
)
REFUND_TOO_LARGE = "The refund amount provided is greater than amount captured."
FULLY_REFUNDED = "The payment has been fully refunded already."
NOT_CAPTURED = "The payment status should be captured for action to be taken"
NOT_AUTHORIZED = "Only payments which have been authorized and not yet captured can be captured"
REFUND_KEY_REUSED = "Different request with the same idempotency key has already been processed."
REFUND_KEY_BUSY = "Another request with the same idempotency key is still in progress."
REFUND_KEY_STORE_DOWN = "Internal server error - Failed to fetch idempotency record"
RATE_LIMITED = "Request failed. Please try after sometime."
RECEIPT_TAKEN = "The receipt has already been taken."
WRONG_KEY = "The api key provided is invalid"
AUTHENTICATION_FAILED = "Authentication failed"


class Refusal(Exception):
    """The gateway says no."""

    def __init__(
        self,
        description: str,
        *,
        status: int = 400,
        code: str = "BAD_REQUEST_ERROR",
        field: str | None = None,
        source: str = NOT_APPLICABLE,
        step: str = NOT_APPLICABLE,
        reason: str = NOT_APPLICABLE,
        metadata: dict[str, str] | None = None,
    ) -> None:
        super().__init__(description)
        self.description = description
        self.status = status
        self.code = code
        self.field = field
        self.source = source
        self.step = step
        self.reason = reason
        self.metadata = metadata or {}

    def body(self, *, bare: bool = False) -> dict[str, Any]:
        """The answer; `field` is absent when no single field is at fault. Some errors are `bare`."""
        if bare:
            return {"error": {"code": self.code, "description": self.description}}
        error: dict[str, Any] = {
            "code": self.code,
            "description": self.description,
            "source": self.source,
            "step": self.step,
            "reason": self.reason,
            "metadata": dict(self.metadata),
        }
        if self.field is not None:
            error["field"] = self.field
        return {"error": error}


def invalid_field(description: str, field: str) -> Refusal:
    """A field of the request breaks a rule."""
    return Refusal(
        description,
        field=field,
        source="business",
        step="payment_initiation",
        reason="input_validation_failed",
    )


def unknown_id() -> Refusal:
    """No entity has this id."""
    return Refusal(UNKNOWN_ID)


def malformed_id(value: str) -> Refusal:
    """The id does not have an id's shape."""
    return Refusal(f"{value} is not a valid id.")
