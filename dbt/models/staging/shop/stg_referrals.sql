select
    id as referral_id,
    invite_id,
    terms_id,
    order_id,
    customer_id,
    state as referral_state,
    reason as refusal_reason,
    created_at,
    granted_at,
    reversed_at
from {{ source('raw', 'referrals') }}
