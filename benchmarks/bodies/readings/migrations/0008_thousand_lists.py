from collections import defaultdict

from django.db import migrations


def forwards(apps, schema_editor):
    Reading = apps.get_model("readings", "Reading")
    groups = defaultdict(list)
    for pk, value in Reading.objects.values_list("pk", "value").iterator():
        groups[pk % 1000].append(value)


class Migration(migrations.Migration):
    dependencies = [("readings", "0007_set_of_keys")]

    operations = [migrations.RunPython(forwards, migrations.RunPython.noop)]
