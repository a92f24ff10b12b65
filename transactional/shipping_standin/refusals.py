"""The carrier's error answers: a status and `{"message", "status_code"}`, some with `errors`, some only PHP's words."""

from typing import Any

Json = dict[str, Any]

FOREACH = "Invalid argument supplied for foreach()"
NON_OBJECT = "Trying to get property of non-object"
INVALID_DATA = "Oops! Invalid Data."
FIELD_MISSING = "Required field missing"
NO_ACTIVITIES = "Aahh! There is no activities found in our DB. Please have some patience it will be updated soon."


class Refusal(Exception):
    """The carrier says no."""

    def __init__(self, message: str, *, status: int = 400, errors: dict[str, list[str]] | None = None, **more: Any):
        super().__init__(message)
        self.message = message
        self.status = status
        self.errors = errors
        self.more = more

    def body(self) -> Json:
        """The answer."""
        body: Json = {"message": self.message, "status_code": self.status, **self.more}
        if self.errors is not None:
            body["errors"] = self.errors
        return body


class Unauthenticated(Refusal):
    """No token, or one that counts no more; this answer has no status in its body."""

    def __init__(self) -> None:
        super().__init__("Unauthenticated.", status=401)

    def body(self) -> Json:
        """Only the message."""
        return {"message": self.message}


def invalid(**errors: str) -> Refusal:
    """422 with one text a field."""
    return Refusal(INVALID_DATA, status=422, errors={name: [text] for name, text in errors.items()})


def broken(text: str = NON_OBJECT) -> Refusal:
    """What an unknown id or a wrong type does to the carrier's PHP."""
    return Refusal(text, status=500)


def not_found() -> Refusal:
    """404 in the framework's words."""
    return Refusal("404 Not Found", status=404)
