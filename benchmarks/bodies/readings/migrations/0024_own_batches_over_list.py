from django.db import migrations


def forwards(apps, schema_editor):
    Reading = apps.get_model("readings", "Reading")
    readings = list(Reading.objects.only("value"))
    for start in range(0, len(readings), 500):
        batch = readings[start : start + 500]
        for reading in batch:
            reading.total = reading.value * 2
        Reading.objects.bulk_update(batch, ["total"])


class Migration(migrations.Migration):
    dependencies = [("readings", "0023_bulk_update_of_all")]

    operations = [migrations.RunPython(forwards, migrations.RunPython.noop)]
