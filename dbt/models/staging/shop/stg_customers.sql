select
    id as customer_id,
    user_id,
    email is not null as has_email,
    country,
    city,
    acquisition_channel,
    marketing_consent,
    is_guest,
    source,
    external_ref,
    created_at
from {{ source('raw', 'customers') }}
