from django.db import migrations


def forwards(apps, schema_editor):
    Reading = apps.get_model("readings", "Reading")
    for reading in Reading.objects.all():
        reading.total = reading.value * 2


class Migration(migrations.Migration):
    dependencies = [("readings", "0001_initial")]

    operations = [migrations.RunPython(forwards, migrations.RunPython.noop)]
