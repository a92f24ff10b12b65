"""How often somebody may try."""

from datetime import UTC, datetime, timedelta

import pytest

from transactional.core.errors import TooManyRequests
from transactional.core.ratelimit import Limit, RateLimiter

NOW = datetime(2026, 1, 15, 10, 0, tzinfo=UTC)
THREE_A_MINUTE = Limit(3, timedelta(minutes=1))


def test_the_window_slides() -> None:
    limiter = RateLimiter()
    for second in (0, 20, 40):
        limiter.hit("a", THREE_A_MINUTE, now=NOW + timedelta(seconds=second))
    with pytest.raises(TooManyRequests) as refusal:
        limiter.hit("a", THREE_A_MINUTE, now=NOW + timedelta(seconds=45))
    assert refusal.value.extra["retry_after"] == 16
    limiter.hit("a", THREE_A_MINUTE, now=NOW + timedelta(seconds=60))
    with pytest.raises(TooManyRequests):
        limiter.hit("a", THREE_A_MINUTE, now=NOW + timedelta(seconds=61))


def test_keys_are_counted_apart_and_can_be_forgotten() -> None:
    limiter = RateLimiter()
    for _ in range(3):
        limiter.hit("a", THREE_A_MINUTE, now=NOW)
    limiter.hit("b", THREE_A_MINUTE, now=NOW)
    limiter.forget("a")
    limiter.hit("a", THREE_A_MINUTE, now=NOW)


def test_refused_attempts_do_not_prolong_the_wait() -> None:
    limiter = RateLimiter()
    for _ in range(3):
        limiter.hit("a", THREE_A_MINUTE, now=NOW)
    for _ in range(5):
        with pytest.raises(TooManyRequests):
            limiter.hit("a", THREE_A_MINUTE, now=NOW + timedelta(seconds=59))
    limiter.hit("a", THREE_A_MINUTE, now=NOW + timedelta(seconds=60))


def test_memory_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("transactional.core.ratelimit._MAX_KEYS", 10)
    limiter = RateLimiter()
    for number in range(100):
        limiter.hit(f"k{number}", THREE_A_MINUTE, now=NOW)
    assert len(limiter._seen) == 10
