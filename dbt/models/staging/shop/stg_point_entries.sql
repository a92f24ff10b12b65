select
    id as entry_id,
    customer_id,
    lot_id,
    order_id,
    kind as entry_kind,
    wallet,
    points,
    qualifying as qualifying_points,
    qualifying_at,
    actor,
    reason,
    occurred_at
from {{ source('raw', 'point_entries') }}
