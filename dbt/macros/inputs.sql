{#-
  Tables that others fill and models read: created empty where nobody has written them yet, so that a shop without
  models, audits or an earlier build can be modelled all the same. Names and types are the interface to those writers.
-#}
{% macro create_missing_inputs() %}
create schema if not exists warehouse.raw_ml;
create schema if not exists warehouse.raw_ops;
create table if not exists warehouse.raw_ml.customer_value_predictions (
    customer_id bigint,
    probability_alive double,
    expected_orders_90d double,
    expected_orders_365d double,
    expected_order_value double,
    predicted_value_365d double,
    value_low double,
    value_high double,
    model_version varchar,
    scored_at timestamp
);
create table if not exists warehouse.raw_ml.customer_churn_predictions (
    customer_id bigint,
    churn_probability double,
    main_reasons varchar,
    model_version varchar,
    scored_at timestamp
);
create table if not exists warehouse.raw_ml.model_metrics (
    model varchar,
    version varchar,
    metric varchar,
    slice varchar,
    value double,
    low double,
    high double,
    n bigint,
    trained_at timestamp,
    data_through timestamp,
    is_champion boolean
);
create table if not exists warehouse.raw_ops.check_results (
    run_id varchar,
    check_name varchar,
    asset varchar,
    passed boolean,
    severity varchar,
    failed_rows bigint,
    observed varchar,
    checked_at timestamp
);
create table if not exists warehouse.raw_ops.changed_keys (table_name varchar, row_id bigint);
create table if not exists warehouse.raw_ops.extract_state ("full" boolean);
{% endmacro %}
