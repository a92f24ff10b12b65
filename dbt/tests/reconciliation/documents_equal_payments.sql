-- Of every order that was invoiced and paid: invoices less credit notes = captured less refunded and on its way back.
-- A refund that failed is still owed until another one is asked for.
-- What an exchange adds is paid before it leaves and invoiced when it does, so orders with units that still have to
-- leave are not judged yet; nor are those that moved just before the end of the data, for paper follows by a moment.
with documents as (
    select
        order_id,
        sum(signed_total_amount) as amount,
        max(issued_at) as moved_at
    from {{ ref('fct_tax_documents') }}
    group by order_id
),

payments as (
    select
        order_id,
        sum(captured_amount - refunded_amount - refund_pending_amount) as amount,
        max(captured_at) as moved_at
    from {{ ref('fct_payments') }}
    group by order_id
),

asked as (
    select
        *,
        lead(refund_id) over (
            partition by order_id
            order by created_at, refund_id
        ) as next_refund_id
    from {{ ref('fct_refunds') }}
    where order_id is not null
),

refunds as (
    select
        order_id,
        sum(case when status = 'failed' and next_refund_id is null then amount else 0 end) as owed,
        max(greatest(created_at, coalesce(processed_at, created_at), coalesce(failed_at, created_at))) as moved_at
    from asked
    group by order_id
),

unsent as (
    select distinct order_id
    from {{ ref('fct_order_lines') }}
    where quantity > cancelled_quantity + shipped_quantity
)

select
    documents.order_id,
    documents.amount as invoiced,
    payments.amount - coalesce(refunds.owed, 0) as paid
from documents
inner join payments on documents.order_id = payments.order_id
left join refunds on documents.order_id = refunds.order_id
left join unsent on documents.order_id = unsent.order_id
cross join {{ ref('int_shop') }} as shop
where
    unsent.order_id is null
    and payments.moved_at is not null
    and documents.amount <> payments.amount - coalesce(refunds.owed, 0)
    and greatest(documents.moved_at, payments.moved_at, coalesce(refunds.moved_at, payments.moved_at))
    <= shop.last_event_at - interval {{ var('documents_settle_minutes') }} minute
