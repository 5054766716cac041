from django.db import migrations


def forwards(apps, schema_editor):
    Reading = apps.get_model("readings", "Reading")
    codes = dict(Reading.objects.values_list("pk", "code"))
    assert len(codes) == Reading.objects.count()


class Migration(migrations.Migration):
    dependencies = [("readings", "0005_buffer_flushed_at_50_000")]

    operations = [migrations.RunPython(forwards, migrations.RunPython.noop)]
