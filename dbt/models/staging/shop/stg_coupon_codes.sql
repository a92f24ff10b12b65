select
    id as code_id,
    promotion_id,
    batch_id,
    code as coupon_code,
    usage_limit,
    per_customer_limit,
    used,
    frees_on_full_refund
from {{ source('raw', 'coupon_codes') }}
