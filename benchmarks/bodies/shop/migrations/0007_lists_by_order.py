from collections import defaultdict

from django.db import migrations


def forwards(apps, schema_editor):
    Line = apps.get_model("shop", "Line")
    lines = defaultdict(list)
    for line in Line.objects.iterator():
        lines[line.order_id].append(line)


class Migration(migrations.Migration):
    dependencies = [("shop", "0006_totals_by_order")]

    operations = [migrations.RunPython(forwards, migrations.RunPython.noop)]
