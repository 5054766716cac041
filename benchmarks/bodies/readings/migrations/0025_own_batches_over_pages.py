from django.db import migrations


def forwards(apps, schema_editor):
    Reading = apps.get_model("readings", "Reading")
    last = Reading.objects.order_by("-pk").values_list("pk", flat=True).first() or 0
    for start in range(0, last, 500):
        batch = list(Reading.objects.filter(pk__gt=start, pk__lte=start + 500))
        for reading in batch:
            reading.total = reading.value * 2
        Reading.objects.bulk_update(batch, ["total"])


class Migration(migrations.Migration):
    dependencies = [("readings", "0024_own_batches_over_list")]

    operations = [migrations.RunPython(forwards, migrations.RunPython.noop)]
