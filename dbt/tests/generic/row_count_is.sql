{#- A table has exactly so many rows. -#}
{% test row_count_is(model, rows) %}
select count(*) as found
from {{ model }}
having count(*) <> {{ rows }}
{% endtest %}
