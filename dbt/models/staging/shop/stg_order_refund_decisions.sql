select
    id as decision_id,
    order_id,
    kind as decision_kind,
    {{ minor_to_amount('units_minor', 'currency') }} as units_amount,
    {{ minor_to_amount('shipping_minor', 'currency') }} as shipping_amount,
    {{ minor_to_amount('coupon_withheld_minor', 'currency') }} as coupon_withheld_amount,
    {{ minor_to_amount('refund_minor', 'currency') }} as refund_amount,
    currency,
    decided_at
from {{ source('raw', 'order_refund_decisions') }}
