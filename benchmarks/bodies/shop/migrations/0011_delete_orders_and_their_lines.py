from django.db import migrations


def forwards(apps, schema_editor):
    Order = apps.get_model("shop", "Order")
    Order.objects.filter(pk__gt=0).delete()


class Migration(migrations.Migration):
    dependencies = [("shop", "0010_delete_lines")]

    operations = [migrations.RunPython(forwards, migrations.RunPython.noop)]
