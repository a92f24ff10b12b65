-- The facts are sums in the base currency: an order in another one would be added to something else.
select orders.order_id
from {{ ref('fct_orders') }} as orders
cross join {{ ref('dim_shop') }} as shop
where orders.currency <> shop.base_currency
