from django.db import migrations


def forwards(apps, schema_editor):
    Reading = apps.get_model("readings", "Reading")
    last = Reading.objects.order_by("-pk").values_list("pk", flat=True).first() or 0
    originals = (
        Reading.objects.filter(pk__lte=last).order_by("pk").values_list("pk", "sensor", "value")
    )
    for start in range(0, last, 5_000):
        chunk = originals.filter(pk__gt=start, pk__lte=start + 5_000)
        Reading.objects.bulk_create(
            Reading(sensor=sensor, code=f"{pk:012}", value=value) for pk, sensor, value in chunk
        )


class Migration(migrations.Migration):
    dependencies = [("readings", "0021_bulk_create_copies")]

    operations = [migrations.RunPython(forwards, migrations.RunPython.noop)]
