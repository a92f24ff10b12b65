select
    id as gateway_order_id,
    order_id,
    gateway,
    purpose,
    {{ minor_to_amount('amount_minor', 'currency') }} as amount,
    currency,
    expires_at,
    created_at
from {{ source('raw', 'gateway_orders') }}
