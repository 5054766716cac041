from django.db import migrations
from django.db.models import F


def forwards(apps, schema_editor):
    Reading = apps.get_model("readings", "Reading")
    Reading.objects.update(total=F("value") * 2)


class Migration(migrations.Migration):
    dependencies = [("readings", "0017_cursor_fetchmany")]

    operations = [migrations.RunPython(forwards, migrations.RunPython.noop)]
