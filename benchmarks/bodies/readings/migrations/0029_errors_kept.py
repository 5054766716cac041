from django.db import migrations


def forwards(apps, schema_editor):
    Reading = apps.get_model("readings", "Reading")
    numbers, errors = {}, []
    for reading in Reading.objects.iterator():
        try:
            numbers[reading.pk] = int(reading.code)
        except ValueError as error:
            errors.append(error)
    assert len(numbers) + len(errors) == Reading.objects.count()


class Migration(migrations.Migration):
    dependencies = [("readings", "0028_nodes_that_refer_to_each_other")]

    operations = [migrations.RunPython(forwards, migrations.RunPython.noop)]
