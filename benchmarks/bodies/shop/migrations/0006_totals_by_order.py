from django.db import migrations


def forwards(apps, schema_editor):
    Line = apps.get_model("shop", "Line")
    totals = {}
    for order, quantity in Line.objects.values_list("order", "quantity").iterator():
        totals[order] = totals.get(order, 0) + quantity


class Migration(migrations.Migration):
    dependencies = [("shop", "0005_prefetch_of_all")]

    operations = [migrations.RunPython(forwards, migrations.RunPython.noop)]
