select
    id as profile_id,
    name as shop_name,
    base_currency,
    time_zone,
    created_at
from {{ source('raw', 'shop_profile') }}
