"""How large a request may be."""

from collections.abc import Iterator

import pytest
from fastapi.testclient import TestClient

from transactional.core.bodylimit import MAX_BODY_BYTES


def in_pieces(size: int) -> Iterator[bytes]:
    """A body whose length nobody announces."""
    for _ in range(size // 1024):
        yield b" " * 1024


@pytest.mark.parametrize("announced", [True, False])
def test_a_body_without_measure_is_refused(client: TestClient, announced: bool) -> None:
    content = b" " * (MAX_BODY_BYTES + 1) if announced else in_pieces(MAX_BODY_BYTES + 1024)
    answer = client.post("/v1/auth/login", content=content, headers={"Content-Type": "application/json"})
    assert answer.status_code == 413
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["type"] == "urn:my-little-things:problem:content-too-large"


def test_a_body_within_measure_is_read(client: TestClient) -> None:
    body = b'{"email": "a@example.com", "password": "x"}' + b" " * (MAX_BODY_BYTES - 100)
    answer = client.post("/v1/auth/login", content=body, headers={"Content-Type": "application/json"})
    assert answer.status_code == 401
