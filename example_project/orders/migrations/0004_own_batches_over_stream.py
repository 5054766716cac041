from itertools import islice

from django.db import migrations


def compute_totals(apps, schema_editor):
    Order = apps.get_model("orders", "Order")
    stream = Order.objects.only("quantity", "unit_price", "discount", "shipping").iterator()
    while batch := list(islice(stream, 250)):
        for order in batch:
            order.net = order.quantity * order.unit_price - order.discount
            order.total = order.net + order.shipping
        Order.objects.bulk_update(batch, ["net", "total"])


class Migration(migrations.Migration):
    dependencies = [("orders", "0003_own_batches_over_list")]

    operations = [migrations.RunPython(compute_totals, migrations.RunPython.noop)]
