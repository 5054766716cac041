from django.db import migrations


def compute_totals(apps, schema_editor):
    Order = apps.get_model("orders", "Order")
    orders = list(Order.objects.only("quantity", "unit_price", "discount", "shipping"))
    for start in range(0, len(orders), 250):
        batch = orders[start : start + 250]
        for order in batch:
            order.net = order.quantity * order.unit_price - order.discount
            order.total = order.net + order.shipping
        Order.objects.bulk_update(batch, ["net", "total"])


class Migration(migrations.Migration):
    dependencies = [("orders", "0002_only_then_bulk_update")]

    operations = [migrations.RunPython(compute_totals, migrations.RunPython.noop)]
