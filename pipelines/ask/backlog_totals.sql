-- One row: how many participants, in how many states, and the known amounts owed: by currency, and as one sum if there
-- is only one currency.
with

amounts as (
    select
        currency,
        sum(amount_cents) as amount_cents
    from listing
    where amount_cents is not null
    group by currency
)

select
    count(*) as participants,
    count(*) filter (where is_overdue) as overdue,
    count(*) filter (where is_hidden) as hidden,
    count(distinct backlog_state) as states,
    case when (select count(*) from amounts) <= 1 then coalesce(sum(amount_cents), 0) end as amount_cents,
    (
        select list({'currency': currency, 'amount_cents': amount_cents} order by amount_cents desc, currency nulls last)
        from amounts
    ) as amounts,
    count(*) filter (where amount_cents is null) as without_amount
from listing
