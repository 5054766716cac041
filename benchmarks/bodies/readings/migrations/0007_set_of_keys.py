from django.db import migrations


def forwards(apps, schema_editor):
    Reading = apps.get_model("readings", "Reading")
    seen = set()
    for pk in Reading.objects.values_list("pk", flat=True).iterator():
        seen.add(pk)


class Migration(migrations.Migration):
    dependencies = [("readings", "0006_dict_of_codes")]

    operations = [migrations.RunPython(forwards, migrations.RunPython.noop)]
