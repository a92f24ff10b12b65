"""The job that keeps the status of offers beside the clock."""

from datetime import timedelta

from tests.support.offers import draft, move, rule
from tests.support.trade import TradeKit
from transactional import wiring
from transactional.core import jobs
from transactional.core.clock import ManualClock
from transactional.promotions.jobs import follow_the_clock
from transactional.promotions.service import PromotionStatus


def test_the_worker_knows_the_job_and_repeating_it_changes_nothing(kit: TradeKit, clock: ManualClock) -> None:
    wiring.wire()
    assert "promotions.follow_the_clock" in {job.name for job in jobs.registered()}
    promotion_id = draft(kit, rule("percentage", bp=100), starts_at=kit.now + timedelta(hours=1))
    move(kit, promotion_id, PromotionStatus.SCHEDULED)
    assert follow_the_clock(kit.database) == 0
    clock.advance(timedelta(hours=1))
    assert (follow_the_clock(kit.database), follow_the_clock(kit.database)) == (1, 0)
