select
    id as affiliate_id,
    public_id,
    customer_id,
    programme_id,
    status as affiliate_status,
    applied_at
from {{ source('raw', 'affiliates') }}
