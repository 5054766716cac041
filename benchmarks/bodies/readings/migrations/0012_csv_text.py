import csv
import io

from django.db import migrations


def forwards(apps, schema_editor):
    Reading = apps.get_model("readings", "Reading")
    file = io.StringIO()
    csv.writer(file).writerows(Reading.objects.values_list("pk", "code", "value").iterator())
    assert file.getvalue() or not Reading.objects.exists()


class Migration(migrations.Migration):
    dependencies = [("readings", "0011_string_added_to")]

    operations = [migrations.RunPython(forwards, migrations.RunPython.noop)]
