"""Training functions, one a registered model: frames in, a `TrainingResult` out.

| registered name | function                                                        |
|-----------------|-----------------------------------------------------------------|
| lifetime_value  | `lifetime.train_lifetime(purchases, as_of, champion=None)`      |
| churn           | `churn.train_churn(purchases, as_of, champion=None)`            |
| discover        | `discover.train_discover(lines, as_of, champion=None)`          |
| buy_again       | `shelves.train_buy_again(lines, as_of, champion=None)`          |
| bought_together | `shelves.train_bought_together(lines, as_of, champion=None)`    |
| similar         | `shelves.train_similar(lines, as_of, products=None, champion=None)` |
| popularity      | `shelves.train_popularity(lines, as_of, champion=None)`         |

`purchases` has one row an order: customer_id, order_id, placed_at (UTC, no zone), net_merchandise. `lines`
has one row an order line: order_id, customer_id (null for a guest), product_id, placed_at. `champion` is the
loaded champion model, whose recipe is then judged on the same hold-out.
"""
