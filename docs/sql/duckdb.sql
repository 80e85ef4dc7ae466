-- What `clv summarize --observation-end 1997-09-30` makes of a log `orders` (customer_id, date, amount): one row per customer, refunds netted.
with entries as (
    -- The three columns of your log, and the last day observed.
    select customer_id, cast(date as date) as day, cast(amount as decimal(18, 4)) as amount
    from orders
    where cast(date as date) <= date '1997-09-30'
),
days as (
    -- All of one customer on one day: what was paid, and what was given back.
    select
        customer_id,
        day,
        sum(case when amount >= 0 then amount else 0 end) as paid,
        sum(case when amount < 0 then -amount else 0 end) as refunded,
        sum(case when amount >= 0 then 1 else 0 end) as payments
    from entries
    group by customer_id, day
),
balances as (
    select *, sum(paid - refunded) over (partition by customer_id order by day rows between unbounded preceding and current row) as balance
    from days
),
stacks as (
    -- What is left of all purchases so far. A refund of nothing is lost: the height never falls below 0.
    select
        *,
        balance - least(0, min(balance) over (partition by customer_id order by day rows between unbounded preceding and current row)) as height
    from balances
),
bounds as (
    -- A day's purchase lies on top of those before it. Refunds take away from the top: what stays is below the lowest height from that day on.
    select
        *,
        lag(height) over (partition by customer_id order by day) as bottom,
        min(height) over (partition by customer_id order by day desc rows between unbounded preceding and current row) as top
    from stacks
),
purchases as (
    -- A day refunded to nothing is no purchase; a free one that nobody gave back is.
    select
        customer_id,
        day,
        greatest(0, top - coalesce(bottom, 0)) as spend,
        row_number() over (partition by customer_id order by day) as nth
    from bounds
    where payments > 0 and (top > coalesce(bottom, 0) or (paid = 0 and refunded = 0))
)
select
    customer_id,
    min(day) as first_purchase,
    max(day) as last_purchase,
    count(*) - 1 as frequency,
    cast(date_diff('day', min(day), max(day)) as double) / 7 as recency,
    cast(date_diff('day', min(day), date '1997-09-30') as double) / 7 as age,
    case when count(*) > 1 then cast(sum(case when nth > 1 then spend else 0 end) as double) / (count(*) - 1) else 0 end as average_spend,
    cast(sum(spend) as double) as total_spend
from purchases
group by customer_id
order by customer_id
