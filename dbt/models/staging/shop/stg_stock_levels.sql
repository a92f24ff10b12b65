select
    id as level_id,
    variant_id,
    location_id,
    on_hand,
    reserved,
    threshold,
    low_stock_level,
    reorder_policy,
    reorder_point,
    service_level_bp
from {{ source('raw', 'stock_levels') }}
