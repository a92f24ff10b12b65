select
    src.id as unit_move_id,
    src.order_id,
    src.order_line_id,
    src.kind as move_kind,
    src.quantity,
    {{ minor_to_amount('src.refund_minor', 'shop.base_currency') }} as refund_amount,
    src.shipment_id,
    src.reason as move_reason,
    src.occurred_at
from {{ source('raw', 'order_unit_moves') }} as src
cross join {{ source('raw', 'shop_profile') }} as shop
