from django.db import migrations


def forwards(apps, schema_editor):
    Reading = apps.get_model("readings", "Reading")
    ranked = sorted(Reading.objects.values_list("value", "pk"), reverse=True)
    assert not ranked or ranked[0] >= ranked[-1]


class Migration(migrations.Migration):
    dependencies = [("readings", "0008_thousand_lists")]

    operations = [migrations.RunPython(forwards, migrations.RunPython.noop)]
