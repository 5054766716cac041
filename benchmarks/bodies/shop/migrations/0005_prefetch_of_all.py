from django.db import migrations


def forwards(apps, schema_editor):
    Order = apps.get_model("shop", "Order")
    for order in Order.objects.prefetch_related("lines"):
        order.items = len(order.lines.all())


class Migration(migrations.Migration):
    dependencies = [("shop", "0004_prefetch_in_chunks")]

    operations = [migrations.RunPython(forwards, migrations.RunPython.noop)]
