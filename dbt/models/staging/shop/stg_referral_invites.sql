select
    id as invite_id,
    customer_id,
    created_at
from {{ source('raw', 'referral_invites') }}
