select
    id as terms_id,
    version,
    reward,
    referrer_points,
    referred_points,
    valid_from
from {{ source('raw', 'referral_terms') }}
