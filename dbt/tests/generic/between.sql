{#- A value lies within the bounds, both included; a bound may be left out, and NULL is not judged. -#}
{% test between(model, column_name, low=none, high=none) %}
select {{ column_name }}
from {{ model }}
where
    {{ column_name }} < {{ low if low is not none else column_name }}
    or {{ column_name }} > {{ high if high is not none else column_name }}
{% endtest %}
