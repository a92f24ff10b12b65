{#-
  Incremental building by changed keys.

  Extraction leaves in `raw_ops.changed_keys` which rows of which shop table this build touched (deleted ones
  included), and in `raw_ops.extract_state` whether it copied everything. A model built with the strategy
  `replace_changed` selects every row that may differ, and the strategy deletes what they replace and what has vanished.
-#}

{#-
  Whether everything has to be taken as changed: a full copy, a build that extraction said nothing about, or another
  time zone or currency of the shop itself.
-#}
{% macro everything_changed() -%}
    (
        select
            coalesce(bool_or(state."full"), true)
            or exists (
                select 1 from {{ source('raw_ops', 'changed_keys') }} as profile_keys
                where profile_keys.table_name = 'shop_profile'
            )
        from {{ source('raw_ops', 'extract_state') }} as state
    )
{%- endmacro %}


{#- Whether a row of a shop table was deleted: what it belonged to can no longer be asked. -#}
{% macro some_vanished(table_name) -%}
    exists (
        select 1
        from {{ source('raw_ops', 'changed_keys') }} as keys
        left join {{ source('raw', table_name) }} as living on keys.row_id = living.id
        where keys.table_name = '{{ table_name }}' and living.id is null
    )
{%- endmacro %}


{#- The ids of one shop table that this build touched; of a full copy nothing is known here. -#}
{% macro touched_ids(table_name) -%}
    select keys.row_id
    from {{ source('raw_ops', 'changed_keys') }} as keys
    where keys.table_name = '{{ table_name }}'
{%- endmacro %}


{#- The ids of one shop table that have to be taken as changed. -#}
{% macro changed_ids(table_name) -%}
    {{ touched_ids(table_name) }}
    union all
    select everything.id
    from {{ source('raw', table_name) }} as everything
    where {{ everything_changed() }}
{%- endmacro %}


{#-
  Custom strategy of the incremental materialisation.

  `meta.changed_table` names the shop table whose ids are the model's unique key; with `meta.follows_orders` a changed
  order takes all its rows with it. The deletion runs in the same transaction as the insertion, so a killed run leaves
  the table as it was.
-#}
{% macro get_incremental_replace_changed_sql(arg_dict) %}
    {%- set key = arg_dict['unique_key'] -%}
    {%- set meta = config.get('meta') -%}
    {%- set columns = arg_dict['dest_columns'] | map(attribute='quoted') | join(', ') -%}
    delete from {{ arg_dict['target_relation'] }}
    where
        {{ everything_changed() }}
        or {{ key }} in (select replacement.{{ key }} from {{ arg_dict['temp_relation'] }} as replacement)
        or {{ key }} in (
            {{ touched_ids(meta['changed_table']) }}
        )
        {% if meta.get('follows_orders') -%}
            or order_id in (select changed.order_id from {{ ref('int_changed_orders') }} as changed)
        {%- endif %};
    insert into {{ arg_dict['target_relation'] }} ({{ columns }})
    select {{ columns }} from {{ arg_dict['temp_relation'] }}
{% endmacro %}


{#-
  The rows of an incremental table that an audit looks at: those that this build could have changed.

  The rest passed the audit of the build that this one was seeded from and was not touched since. A full build, and the
  variable `audit_everything`, look at every row. `column` tells: the key itself, whose shop table is `changed_table`,
  or without that the order that the row follows.
-#}
{% macro rows_under_audit(column, changed_table) -%}
    {%- if var('audit_everything', false) -%}
        true
    {%- elif changed_table -%}
        {{ everything_changed() }} or {{ column }} in ({{ touched_ids(changed_table) }})
    {%- else -%}
        {{ column }} in (select changed.order_id from {{ ref('int_changed_orders') }} as changed)
    {%- endif -%}
{%- endmacro %}
