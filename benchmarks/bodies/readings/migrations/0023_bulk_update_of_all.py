from django.db import migrations


def forwards(apps, schema_editor):
    Reading = apps.get_model("readings", "Reading")
    readings = list(Reading.objects.all())
    for reading in readings:
        reading.total = reading.value * 2
    Reading.objects.bulk_update(readings, ["total"], batch_size=500)


class Migration(migrations.Migration):
    dependencies = [("readings", "0022_batches_of_copies")]

    operations = [migrations.RunPython(forwards, migrations.RunPython.noop)]
