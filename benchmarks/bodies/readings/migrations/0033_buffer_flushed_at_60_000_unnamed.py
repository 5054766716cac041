from django.conf import settings
from django.db import migrations


def forwards(apps, schema_editor):
    Reading = apps.get_model("readings", "Reading")
    buffer = []
    for reading in Reading.objects.iterator():
        buffer.append(reading)
        # No code of the migration names it.
        if len(buffer) == settings.READINGS_BUFFER:
            buffer.clear()


class Migration(migrations.Migration):
    dependencies = [("readings", "0032_cache_of_50_000")]

    operations = [migrations.RunPython(forwards, migrations.RunPython.noop)]
