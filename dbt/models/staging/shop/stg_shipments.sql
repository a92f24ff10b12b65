select
    src.id as shipment_id,
    src.order_id,
    src.carrier,
    src.tracking_number,
    src.status as shipment_status,
    src.weight_grams,
    {{ minor_to_amount('src.cost_minor', 'shop.base_currency') }} as cost_amount,
    src.created_at,
    src.shipped_at,
    src.delivered_at
from {{ source('raw', 'shipments') }} as src
cross join {{ source('raw', 'shop_profile') }} as shop
