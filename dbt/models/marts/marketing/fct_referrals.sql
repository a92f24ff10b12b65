select
    referrals.referral_id,
    invites.customer_id as referrer_customer_id,
    referrals.customer_id as referred_customer_id,
    referrals.order_id,
    referrals.referral_state as status,
    referrals.refusal_reason,
    terms.reward,
    cast(case when referrals.referral_state = 'granted' then terms.referrer_points else 0 end as bigint)
        as referrer_points,
    cast(case when referrals.referral_state = 'granted' then terms.referred_points else 0 end as bigint)
        as referred_points,
    coalesce(orders.is_sale, false) as is_sale,
    {{ as_money('case when orders.is_sale then orders.sold_merchandise end') }} as revenue,
    referrals.created_at,
    referrals.granted_at,
    referrals.reversed_at
from {{ ref('stg_referrals') }} as referrals
inner join {{ ref('stg_referral_invites') }} as invites on referrals.invite_id = invites.invite_id
left join {{ ref('stg_referral_terms') }} as terms on referrals.terms_id = terms.terms_id
left join {{ ref('fct_orders') }} as orders on referrals.order_id = orders.order_id
