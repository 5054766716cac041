from django.db import migrations


def forwards(apps, schema_editor):
    Order = apps.get_model("shop", "Order")
    counts = {}
    last = Order.objects.order_by("-pk").values_list("pk", flat=True).first() or 0
    for start in range(0, last, 1_000):
        page = Order.objects.filter(pk__gt=start, pk__lte=start + 1_000)
        for order in page.prefetch_related("lines"):
            counts[order.pk] = [order.note, len(order.lines.all())]


class Migration(migrations.Migration):
    dependencies = [("shop", "0015_prefetch_without_lines")]

    operations = [migrations.RunPython(forwards, migrations.RunPython.noop)]
