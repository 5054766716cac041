from django.db import migrations


def forwards(apps, schema_editor):
    Reading = apps.get_model("readings", "Reading")
    block = bytearray(64 * 15_000)
    for number, reading in enumerate(Reading.objects.iterator()):
        if 64 * number == len(block):
            block = block + bytearray(len(block))
        block[64 * number] = reading.sensor % 256


class Migration(migrations.Migration):
    dependencies = [("readings", "0034_blocks_of_40_000")]

    operations = [migrations.RunPython(forwards, migrations.RunPython.noop)]
