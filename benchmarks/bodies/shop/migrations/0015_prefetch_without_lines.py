from django.db import migrations


def forwards(apps, schema_editor):
    Order = apps.get_model("shop", "Order")
    for order in Order.objects.prefetch_related("lines").iterator(chunk_size=2_000):
        order.items = len(order.lines.all())


class Migration(migrations.Migration):
    dependencies = [("shop", "0014_alter_field")]

    operations = [migrations.RunPython(forwards, migrations.RunPython.noop)]
