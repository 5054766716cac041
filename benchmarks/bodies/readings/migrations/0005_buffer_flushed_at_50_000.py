from django.db import migrations


def forwards(apps, schema_editor):
    Reading = apps.get_model("readings", "Reading")
    buffer = []
    for reading in Reading.objects.iterator():
        buffer.append(reading)
        if len(buffer) == 50_000:
            buffer.clear()


class Migration(migrations.Migration):
    dependencies = [("readings", "0004_iterator_chunk_of_100_000")]

    operations = [migrations.RunPython(forwards, migrations.RunPython.noop)]
