select
    documents.tax_document_id,
    documents.document_kind as kind,
    documents.document_number,
    documents.series,
    documents.financial_year,
    documents.serial,
    documents.order_id,
    documents.return_id,
    documents.refers_to_document_id,
    documents.place_of_supply,
    documents.supply_kind,
    documents.currency,
    documents.taxable_amount,
    documents.cgst_amount,
    documents.sgst_amount,
    documents.igst_amount,
    {{ as_money('documents.cgst_amount + documents.sgst_amount + documents.igst_amount') }} as tax_amount,
    documents.total_amount,
    cast(
        case documents.document_kind when 'credit_note' then -documents.total_amount else documents.total_amount end
        as decimal(18, 2)
    ) as signed_total_amount,
    documents.document_reason as reason,
    documents.issued_at,
    {{ shop_day('documents.issued_at', 'shop.time_zone') }} as issued_day
from {{ ref('stg_tax_documents') }} as documents
cross join {{ ref('int_shop') }} as shop
