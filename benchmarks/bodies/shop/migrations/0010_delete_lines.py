from django.db import migrations


def forwards(apps, schema_editor):
    Line = apps.get_model("shop", "Line")
    Line.objects.filter(quantity__gte=0).delete()


class Migration(migrations.Migration):
    dependencies = [("shop", "0009_annotated_counts")]

    operations = [migrations.RunPython(forwards, migrations.RunPython.noop)]
