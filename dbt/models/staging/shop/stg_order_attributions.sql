select
    id as attribution_id,
    order_id,
    affiliate_id,
    version_id,
    outcome,
    reason as refusal_reason,
    decided_by,
    customer_id,
    placed_at,
    decided_at
from {{ source('raw', 'order_attributions') }}
