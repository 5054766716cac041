from django.db import migrations


def forwards(apps, schema_editor):
    Reading = apps.get_model("readings", "Reading")
    copies = [
        Reading(sensor=one.sensor, code=f"{one.pk:012}", value=one.value)
        for one in Reading.objects.iterator()
    ]
    Reading.objects.bulk_create(copies, batch_size=5_000)


class Migration(migrations.Migration):
    dependencies = [("readings", "0020_matrix_of_bits")]

    operations = [migrations.RunPython(forwards, migrations.RunPython.noop)]
