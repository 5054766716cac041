from django.db import migrations


def forwards(apps, schema_editor):
    Reading = apps.get_model("readings", "Reading")
    kept = [pk for pk in Reading.objects.values_list("pk", flat=True).iterator() if pk % 20 == 0]
    assert len(kept) == Reading.objects.count() // 20


class Migration(migrations.Migration):
    dependencies = [("readings", "0014_list_of_primary_keys")]

    operations = [migrations.RunPython(forwards, migrations.RunPython.noop)]
