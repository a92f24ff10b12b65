-- A customer has exactly one first order, and it is the earliest that counts.
select customer_id
from {{ ref('fct_orders') }}
where is_sale and customer_id is not null
group by customer_id
having
    sum(case when is_first_order then 1 else 0 end) <> 1
    or min(placed_at) <> min(case when is_first_order then placed_at end)
