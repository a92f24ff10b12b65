select
    id as batch_id,
    promotion_id,
    name as batch_name,
    quantity,
    created_at
from {{ source('raw', 'coupon_batches') }}
