-- Distribution and quantile of the standard normal against tabulated values, within the error that their sources state.
with cases as (
    {% for x, p in [
        (-8.5, 0.0), (-1.0, 0.158655), (0.0, 0.5), (0.5, 0.691462), (1.6448536269514722, 0.95),
        (2.3263478740408408, 0.99), (3.719016485455709, 0.9999), (99.0, 1.0)
    ] -%}
        select
            cast({{ x }} as double) as x,
            cast({{ p }} as double) as p
        {% if not loop.last %}union all{% endif %}
    {% endfor %}
)

select x
from cases
where
    abs({{ normal_cdf('x') }} - p) > 0.00015
    or (p between 0.9 and 0.9999 and abs({{ normal_quantile('p') }} - x) > 1e-8)
