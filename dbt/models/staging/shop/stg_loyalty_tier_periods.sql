select
    id as tier_period_id,
    customer_id,
    rank as tier_rank,
    tier,
    starts_at,
    expires_at,
    ended_at,
    reason
from {{ source('raw', 'loyalty_tier_periods') }}
