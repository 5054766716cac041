from array import array

from django.db import migrations


def forwards(apps, schema_editor):
    Reading = apps.get_model("readings", "Reading")
    blocks, free = [], 0
    for reading in Reading.objects.iterator():
        if not free:
            free = 40_000
            blocks.append(array("d", [0.0]) * (25 * free))
        free -= 1
        blocks[-1][25 * free] = reading.value


class Migration(migrations.Migration):
    dependencies = [("readings", "0033_buffer_flushed_at_60_000_unnamed")]

    operations = [migrations.RunPython(forwards, migrations.RunPython.noop)]
