import json

from django.db import migrations


def forwards(apps, schema_editor):
    Reading = apps.get_model("readings", "Reading")
    text = json.dumps(list(Reading.objects.values("pk", "code", "value")))
    assert text.startswith("[")


class Migration(migrations.Migration):
    dependencies = [("readings", "0012_csv_text")]

    operations = [migrations.RunPython(forwards, migrations.RunPython.noop)]
