from __future__ import annotations

from project import LOOP, STREAM, Project

ROWS = 'rows={"shop.Order": 200_000, "shop.Customer": 10_000}'
SEED = """
def orders(apps, rows, using):
    Customer = apps.get_model("shop", "Customer")
    Order = apps.get_model("shop", "Order")
    Customer.objects.using(using).bulk_create(
        Customer(id=i, email=f"c{i}@example.com") for i in range(1, rows["shop.Customer"] + 1)
    )
    Order.objects.using(using).bulk_create(
        (Order(customer_id=1, number=f"n{i:010}", note="x" * 200, price=i)
        for i in range(rows["shop.Order"])), batch_size=1000
    )
"""


def test_a_loop_over_everything_exceeds(project: Project, vendor: str) -> None:
    project.migration("0002_loop", LOOP)
    project.write("seeds.py", SEED)
    project.budget('"shop.0002_loop"', ROWS, 'limit="128Mi"', 'seed="seeds.orders"')
    result = project.run("--membudget-json=results.json")
    print(result.stdout.str())
    print((project.path / "results.json").read_text())
    result.assert_outcomes(failed=1)


def test_a_stream_is_within(project: Project, vendor: str) -> None:
    project.migration("0002_stream", STREAM)
    project.write("seeds.py", SEED)
    project.budget('"shop.0002_stream"', ROWS, 'limit="128Mi"', 'seed="seeds.orders"')
    result = project.run()
    print(result.stdout.str())
    result.assert_outcomes(passed=1)
