with clicks as (
    select
        affiliate_id,
        count(*) as clicks,
        count(distinct visitor_id) as visitors
    from {{ ref('stg_affiliate_clicks') }}
    group by affiliate_id
),

sent as (
    select
        attributions.affiliate_id,
        sum(case when attributions.outcome = 'credited' then 1 else 0 end) as orders,
        sum(case when attributions.outcome = 'refused' then 1 else 0 end) as refused,
        sum(case when attributions.outcome = 'credited' and orders.is_first_order then 1 else 0 end) as new_customers,
        sum(case when attributions.outcome = 'credited' then orders.sold_merchandise else 0 end) as revenue
    from {{ ref('stg_order_attributions') }} as attributions
    inner join {{ ref('fct_orders') }} as orders on attributions.order_id = orders.order_id
    where orders.is_sale
    group by attributions.affiliate_id
),

-- What is taken back from, or set off against, approved commission lowers what is payable without being paid.
commission as (
    select
        affiliate_id,
        sum(pending_amount) as pending,
        sum(case when kind = 'approve' then payable_amount else 0 end) as approved,
        sum(case when kind in ('reverse', 'offset') then -payable_amount else 0 end) as reversed,
        sum(case when kind = 'pay' then -payable_amount else 0 end) as paid,
        sum(payable_amount) as payable,
        sum(owed_amount) as owed
    from {{ ref('fct_commissions') }}
    group by affiliate_id
),

affiliates as (
    select
        affiliates.affiliate_id,
        affiliates.public_id,
        affiliates.customer_id,
        affiliates.affiliate_status,
        coalesce(clicks.clicks, 0) as clicks,
        coalesce(clicks.visitors, 0) as visitors,
        coalesce(sent.orders, 0) as orders,
        coalesce(sent.refused, 0) as refused,
        coalesce(sent.new_customers, 0) as new_customers,
        coalesce(sent.revenue, 0) as revenue,
        coalesce(commission.pending, 0) as pending,
        coalesce(commission.approved, 0) as approved,
        coalesce(commission.reversed, 0) as reversed,
        coalesce(commission.paid, 0) as paid,
        coalesce(commission.payable, 0) as payable,
        coalesce(commission.owed, 0) as owed
    from {{ ref('stg_affiliates') }} as affiliates
    left join clicks on affiliates.affiliate_id = clicks.affiliate_id
    left join sent on affiliates.affiliate_id = sent.affiliate_id
    left join commission on affiliates.affiliate_id = commission.affiliate_id
),

invited as (
    select
        referrer_customer_id,
        count(*) as referrals,
        sum(case when is_sale and status <> 'refused' then 1 else 0 end) as orders,
        sum(case when status = 'refused' then 1 else 0 end) as refused,
        sum(case when status = 'pending' then 1 else 0 end) as pending,
        sum(case when status = 'granted' then 1 else 0 end) as granted,
        sum(case when status = 'reversed' then 1 else 0 end) as reversed,
        sum(referrer_points + referred_points) as points,
        sum(case when status <> 'refused' then revenue else 0 end) as revenue
    from {{ ref('fct_referrals') }}
    group by referrer_customer_id
)

select
    'affiliate' as referrer_kind,
    affiliates.affiliate_id as referrer_id,
    affiliates.public_id as referrer,
    affiliates.customer_id,
    affiliates.affiliate_status as status,
    cast(affiliates.clicks as bigint) as clicks,
    cast(affiliates.visitors as bigint) as visitors,
    cast(affiliates.orders + affiliates.refused as bigint) as referrals,
    cast(affiliates.orders as bigint) as orders,
    cast(affiliates.refused as bigint) as refused_orders,
    cast(affiliates.new_customers as bigint) as new_customers,
    {{ as_money('affiliates.revenue') }} as revenue,
    {{ ratio('least(affiliates.orders, affiliates.clicks)', 'affiliates.clicks') }} as conversion_rate,
    {{ as_money('affiliates.pending') }} as commission_pending,
    {{ as_money('affiliates.approved') }} as commission_approved,
    {{ as_money('affiliates.reversed') }} as commission_reversed,
    {{ as_money('affiliates.paid') }} as commission_paid,
    {{ as_money('affiliates.payable') }} as commission_payable,
    {{ as_money('affiliates.owed') }} as commission_owed,
    cast(0 as bigint) as rewards_pending,
    cast(0 as bigint) as rewards_granted,
    cast(0 as bigint) as rewards_reversed,
    cast(0 as bigint) as reward_points
from affiliates

union all

select
    'customer' as referrer_kind,
    invites.customer_id as referrer_id,
    'customer ' || invites.customer_id as referrer,
    invites.customer_id,
    'active' as status,
    cast(null as bigint) as clicks,
    cast(null as bigint) as visitors,
    cast(coalesce(invited.referrals, 0) as bigint) as referrals,
    cast(coalesce(invited.orders, 0) as bigint) as orders,
    cast(coalesce(invited.refused, 0) as bigint) as refused_orders,
    cast(coalesce(invited.orders, 0) as bigint) as new_customers,
    {{ as_money('invited.revenue') }} as revenue,
    {{ ratio('invited.granted', 'invited.referrals') }} as conversion_rate,
    {{ as_money('0') }} as commission_pending,
    {{ as_money('0') }} as commission_approved,
    {{ as_money('0') }} as commission_reversed,
    {{ as_money('0') }} as commission_paid,
    {{ as_money('0') }} as commission_payable,
    {{ as_money('0') }} as commission_owed,
    cast(coalesce(invited.pending, 0) as bigint) as rewards_pending,
    cast(coalesce(invited.granted, 0) as bigint) as rewards_granted,
    cast(coalesce(invited.reversed, 0) as bigint) as rewards_reversed,
    cast(coalesce(invited.points, 0) as bigint) as reward_points
from {{ ref('stg_referral_invites') }} as invites
left join invited on invites.customer_id = invited.referrer_customer_id
