{#- An identity or rule holds in every row, without tolerance; a NULL is a failure. -#}
{% test holds(model, expression) %}
select *
from {{ model }}
where not coalesce({{ expression }}, false)
{% endtest %}
