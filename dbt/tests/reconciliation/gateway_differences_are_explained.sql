-- Our books and the gateway's agree to the smallest unit: a difference that nobody could explain stops the publication.
select
    difference_id,
    figure,
    reference,
    difference_amount
from {{ ref('fct_payment_differences') }}
where is_open
