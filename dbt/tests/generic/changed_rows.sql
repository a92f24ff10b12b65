{#- Tests of the rows that a build could have changed: see `rows_under_audit`. -#}

{#- The columns together are a key. -#}
{% test changed_rows_are_unique(model, columns, changed_by, changed_table=none) %}
-- depends_on: {{ ref('int_changed_orders') }}
select {{ columns | join(', ') }}
from {{ model }}
where {{ rows_under_audit(changed_by, changed_table) }}
group by {{ columns | join(', ') }}
having count(*) > 1
{% endtest %}


{#- Every row has its parent; a parent that was deleted counts as changed. -#}
{% test changed_rows_have_parent(model, column_name, to, field, changed_by, changed_table=none) %}
-- depends_on: {{ ref('int_changed_orders') }}
select child.{{ column_name }}
from {{ model }} as child
left join {{ to }} as parent on child.{{ column_name }} = parent.{{ field }}
where
    child.{{ column_name }} is not null
    and parent.{{ field }} is null
    and ({{ rows_under_audit('child.' ~ changed_by, changed_table) }})
{% endtest %}
