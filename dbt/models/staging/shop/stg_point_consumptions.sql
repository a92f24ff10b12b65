select
    id as consumption_id,
    lot_id,
    entry_id,
    amount as points,
    occurred_at
from {{ source('raw', 'point_consumptions') }}
