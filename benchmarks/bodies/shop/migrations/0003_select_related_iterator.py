from django.db import migrations


def forwards(apps, schema_editor):
    Line = apps.get_model("shop", "Line")
    for line in Line.objects.select_related("order", "product").iterator():
        line.note = f"{line.order_id} {line.product.name}"


class Migration(migrations.Migration):
    dependencies = [("shop", "0002_select_related_loop")]

    operations = [migrations.RunPython(forwards, migrations.RunPython.noop)]
