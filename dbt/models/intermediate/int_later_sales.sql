-- What moves from the day of an order to the day on which a change set added it: taken off the one, put onto the other.
-- Facts keep an order's sums whole; reports by day add these rows.
{% for day, sign in {'order_day': -1, 'sold_day': 1}.items() -%}
    select
        {{ day }} as sale_day,
        order_id,
        product_id,
        {{ sign }} * units as units,
        {{ as_money(sign ~ ' * gross_amount') }} as gross_merchandise,
        {{ as_money(sign ~ ' * (line_discount_amount + order_discount_amount)') }} as discounts,
        {{ as_money(sign ~ ' * points_discount_amount') }} as points_redeemed_value,
        {{ as_money(sign ~ ' * net_amount') }} as sold_merchandise,
        {{ as_money(sign ~ ' * tax_amount') }} as tax
    from {{ ref('int_added_lines') }}
    where is_sale and sold_day <> order_day
    {% if not loop.last %}union all{% endif %}
{% endfor %}
