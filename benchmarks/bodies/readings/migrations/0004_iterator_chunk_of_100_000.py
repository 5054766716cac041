from django.db import migrations


def forwards(apps, schema_editor):
    Reading = apps.get_model("readings", "Reading")
    for reading in Reading.objects.iterator(chunk_size=100_000):
        reading.total = reading.value * 2


class Migration(migrations.Migration):
    dependencies = [("readings", "0003_iterator")]

    operations = [migrations.RunPython(forwards, migrations.RunPython.noop)]
