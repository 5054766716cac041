from django.db import migrations


def forwards(apps, schema_editor):
    Reading = apps.get_model("readings", "Reading")
    last = Reading.objects.order_by("-pk").values_list("pk", flat=True).first() or 0
    for start in range(0, last, 100_000):
        for reading in Reading.objects.filter(pk__gt=start, pk__lte=start + 100_000):
            reading.total = reading.value * 2
            reading.save(update_fields=["total"])


class Migration(migrations.Migration):
    dependencies = [("readings", "0025_own_batches_over_pages")]

    operations = [migrations.RunPython(forwards, migrations.RunPython.noop)]
