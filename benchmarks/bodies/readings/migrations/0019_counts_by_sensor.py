from django.db import migrations


def forwards(apps, schema_editor):
    Reading = apps.get_model("readings", "Reading")
    counted = {}
    for sensor in Reading.objects.values_list("sensor", flat=True).iterator():
        counted[sensor] = counted.get(sensor, 0) + 1


class Migration(migrations.Migration):
    dependencies = [("readings", "0018_update_with_expression")]

    operations = [migrations.RunPython(forwards, migrations.RunPython.noop)]
