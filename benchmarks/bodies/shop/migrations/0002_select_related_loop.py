from django.db import migrations


def forwards(apps, schema_editor):
    Line = apps.get_model("shop", "Line")
    for line in Line.objects.select_related("order", "product"):
        line.note = f"{line.order_id} {line.product.name}"


class Migration(migrations.Migration):
    dependencies = [("shop", "0001_initial")]

    operations = [migrations.RunPython(forwards, migrations.RunPython.noop)]
