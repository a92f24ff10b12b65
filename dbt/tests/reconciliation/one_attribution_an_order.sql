-- An order is one affiliate's, or nobody's; and commission comes only from an order that is theirs.
select
    order_id,
    count(*) as attributions
from {{ ref('stg_order_attributions') }}
group by order_id
having count(*) > 1

union all

select
    lots.order_id,
    0 as attributions
from {{ ref('stg_commission_lots') }} as lots
left join {{ ref('stg_order_attributions') }} as attributions
    on
        lots.order_id = attributions.order_id
        and lots.affiliate_id = attributions.affiliate_id
        and attributions.outcome = 'credited'
where attributions.attribution_id is null
