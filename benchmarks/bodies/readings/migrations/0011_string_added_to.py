from django.db import migrations


def forwards(apps, schema_editor):
    Reading = apps.get_model("readings", "Reading")
    text = ""
    for code in Reading.objects.values_list("code", flat=True).iterator():
        text += code


class Migration(migrations.Migration):
    dependencies = [("readings", "0010_one_string_joined")]

    operations = [migrations.RunPython(forwards, migrations.RunPython.noop)]
