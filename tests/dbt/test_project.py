"""The project's files: what they must not be, and what every mart must say about itself."""

import csv
import itertools
import re
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
import yaml

PROJECT = Path(__file__).resolve().parents[2] / "dbt"
MARTS = sorted((PROJECT / "models" / "marts").rglob("*.sql"))

# The contract of the warehouse: columns that readers rely on.
RELIED_ON = {
    "dim_customers": "customer_id first_order_at last_order_at acquisition_channel country city loyalty_tier"
    " marketing_consent is_guest",
    "dim_products": "product_id sku name category gift_tier occasions price is_active is_customisable",
    "dim_dates": "date_day week_start month_start quarter_start year is_weekend holiday",
    "dim_shop": "name base_currency time_zone as_of",
    "fct_orders": "order_id order_number customer_id placed_at status channel gross_merchandise discounts"
    " points_redeemed_value shipping_charged wrap_charged tax net_paid refunded is_first_order",
    "fct_order_lines": "order_line_id order_id product_id customer_id placed_at quantity unit_price gross_amount"
    " discount_amount net_amount returned_quantity refunded_amount",
    "fct_payments": "payment_id order_id method status amount captured_amount refunded_amount refund_pending_amount"
    " fee_amount created_at authorized_at captured_at failed_at",
    "fct_refunds": "refund_id order_id method status amount created_at processed_at failed_at",
    "fct_refund_decisions": "decision_id order_id kind units_amount shipping_amount refund_amount decided_at",
    "fct_order_changes": "change_id order_id kind status difference_amount applied_at",
    "fct_payment_differences": "difference_id gateway figure reference order_id difference_amount is_open found_at",
    "fct_tax_documents": "tax_document_id kind document_number order_id taxable_amount total_amount issued_at",
    "fct_shipments": "shipment_id order_id method courier zone status amount quoted_amount is_late is_rto created_at"
    " expected_delivery_at shipped_at delivered_at rto_initiated_at",
    "fct_purchase_order_lines": "purchase_order_line_id purchase_order_id supplier_id product_id status quantity"
    " received_quantity outstanding_quantity is_overdue placed_at expected_at",
    "open_shipments": "shipment_id order_id courier status is_late days_late",
    "courier_performance": "month_start courier parcels late rto late_rate rto_rate median_hours_to_deliver",
    "order_ageing": "status age_bucket orders amount oldest_hours",
    "stock_positions": "variant_id product_id on_hand reserved on_order days_of_cover reorder_point suggested_order",
    "inventory_health": "product_id on_hand reserved on_order days_of_cover reorder_point suggested_order"
    " stock_out_risk",
    "fct_points": "entry_id customer_id lot_id kind wallet points actor_kind occurred_at expires_at order_id",
    "fct_order_discounts": "order_discount_id order_id order_line_id promotion_id version code_id"
    " discount_class amount",
    "fct_commissions": "commission_entry_id affiliate_id order_id kind pending_amount payable_amount occurred_at",
    "fct_referrals": "referral_id referrer_customer_id referred_customer_id order_id status revenue created_at",
    "loyalty_liability": "date_day state wallet loyalty_tier points balance_points value_owed breakage_rate"
    " expected_breakage_points expected_breakage_amount expected_cost",
    "coupon_performance": "promotion_id offer_key offer_label uses revenue discount_cost new_customers average_basket"
    " uplift_state uplift_per_person uplift_low uplift_high",
    "referral_performance": "referrer_kind referrer_id clicks referrals orders revenue conversion_rate"
    " commission_pending commission_payable commission_paid",
    "fct_coupon_redemptions": "redemption_id customer_id order_id status amount reserved_at redeemed_at released_at",
    "fct_tickets": "ticket_id customer_id order_id category priority status created_at resolved_at",
    "fct_reviews": "review_id customer_id product_id score status sentiment created_at",
    "fct_behaviour_events": "behaviour_event_id customer_id product_id kind occurred_at",
    "fct_inventory_movements": "movement_id product_id kind quantity occurred_at",
    "sales_by_period": "period_grain period_start orders customers new_customers returning_customers units"
    " gross_merchandise discounts returned_amount net_merchandise shipping_charged average_order_value"
    " previous_net_merchandise same_period_last_year_net_merchandise",
    "sales_by_dimension": "month_start dimension dimension_value orders units gross_merchandise net_merchandise",
    "product_performance": "product_id orders customers units net_merchandise return_rate views carts conversion_rate"
    " average_rating review_sentiment trend_score rank",
    "customer_acquisition": "month_start channel new_customers first_order_amount repeat_rate_90d",
    "cohort_retention": "cohort_month months_since customers active_customers retention_rate net_merchandise"
    " cumulative_net_merchandise",
    "order_status_distribution": "date_day status orders amount median_hours_in_status",
    "customer_rfm": "customer_id recency_days frequency monetary r_score f_score m_score rfm_segment",
    "customer_lifetime_value": "customer_id historic_value orders probability_alive expected_orders_90d"
    " expected_orders_365d expected_order_value predicted_value_365d value_decile",
    "customer_churn": "customer_id churn_probability risk_band main_reasons model_version",
    "product_affinity": "product_id other_product_id orders_together support confidence lift rank",
    "model_performance": "model version metric value low high trained_at data_through is_champion",
    "data_quality": "run_id check_name passed severity failed_rows observed checked_at",
}


def _described(mart: Path) -> dict[str, Any]:
    (model,) = yaml.safe_load(mart.with_suffix(".yml").read_text("utf-8"))["models"]
    assert model["name"] == mart.stem
    return dict(model)


@pytest.mark.slow
def test_no_python_in_the_project_for_it_would_join_the_installed_package() -> None:
    assert list(PROJECT.rglob("*.py")) == []
    assert Path(import_module("dbt.cli.main").__file__ or "").is_relative_to(PROJECT) is False


def test_contracts_are_enforced_for_every_mart() -> None:
    project = yaml.safe_load((PROJECT / "dbt_project.yml").read_text("utf-8"))
    assert project["models"]["my_little_things"]["marts"]["+contract"] == {"enforced": True}
    assert project["flags"]["send_anonymous_usage_stats"] is False
    assert not (PROJECT / "packages.yml").exists()


@pytest.mark.parametrize("mart", MARTS, ids=lambda mart: mart.stem)
def test_every_mart_says_its_grain_its_questions_and_its_columns(mart: Path) -> None:
    model = _described(mart)
    assert model["description"].startswith("One row"), "a description starts with the grain"
    assert "Questions it answers:\n- " in model["description"]
    for column in model["columns"]:
        assert column["description"], column["name"]
        assert column["data_type"], column["name"]
        assert column["data_type"] not in {"float", "hugeint"}, column["name"]


@pytest.mark.parametrize("mart", RELIED_ON)
def test_columns_that_readers_rely_on_are_there(mart: str) -> None:
    (path,) = [path for path in MARTS if path.stem == mart]
    columns = {column["name"] for column in _described(path)["columns"]}
    assert set(RELIED_ON[mart].split()) <= columns


def test_every_cell_of_rfm_scores_has_one_segment() -> None:
    with (PROJECT / "seeds" / "rfm_segments.csv").open(encoding="utf-8") as file:
        boxes = list(csv.DictReader(file))

    def segments(cell: tuple[int, int, int]) -> list[str]:
        def within(box: dict[str, str]) -> bool:
            return all(
                int(box[f"{axis}_from"]) <= score <= int(box[f"{axis}_to"])
                for axis, score in zip("rfm", cell, strict=True)
            )

        return [box["rfm_segment"] for box in boxes if within(box)]

    cells = itertools.product(range(1, 6), repeat=3)
    assert [cell for cell in cells if len(segments(cell)) != 1] == []
    assert len({box["rfm_segment"] for box in boxes}) == 10  # and prospects, who have no cell


def test_no_model_selects_everything_from_what_it_shows() -> None:
    for mart in MARTS:
        final = mart.read_text("utf-8").rsplit("\nselect", 1)[-1]
        assert not re.search(r"^\s+(\w+\.)?\*", final, re.MULTILINE), mart.stem
