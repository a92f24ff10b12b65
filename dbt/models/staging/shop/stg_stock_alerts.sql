select
    id as alert_id,
    variant_id,
    location_id,
    low_stock_level,
    saleable,
    opened_at,
    closed_at
from {{ source('raw', 'stock_alerts') }}
