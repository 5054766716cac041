from django.db import migrations


def compute_totals(apps, schema_editor):
    Order = apps.get_model("orders", "Order")
    orders = list(Order.objects.only("quantity", "unit_price", "discount", "shipping"))
    for order in orders:
        order.net = order.quantity * order.unit_price - order.discount
        order.total = order.net + order.shipping
    # batch_size cuts the statements, but every WHEN of every batch is built before the first one.
    Order.objects.bulk_update(orders, ["net", "total"], batch_size=250)


class Migration(migrations.Migration):
    dependencies = [("orders", "0001_initial")]

    operations = [migrations.RunPython(compute_totals, migrations.RunPython.noop)]
