select
    id as identity_id,
    anonymous_id,
    customer_id,
    merged_at
from {{ source('raw', 'visitor_identities') }}
