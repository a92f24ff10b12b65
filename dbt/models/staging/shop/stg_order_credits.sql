select
    id as credit_id,
    kind as credit_kind,
    customer_id,
    order_id,
    {{ minor_to_amount('amount_minor', 'currency') }} as amount,
    currency,
    source,
    external_ref,
    occurred_at
from {{ source('raw', 'order_credits') }}
