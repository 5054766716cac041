from django.db import migrations


def forwards(apps, schema_editor):
    Reading = apps.get_model("readings", "Reading")
    keys = list(Reading.objects.values_list("pk", flat=True))
    assert len(keys) == Reading.objects.count()


class Migration(migrations.Migration):
    dependencies = [("readings", "0013_json_text")]

    operations = [migrations.RunPython(forwards, migrations.RunPython.noop)]
