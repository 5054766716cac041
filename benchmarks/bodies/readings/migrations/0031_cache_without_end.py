from functools import cache

from django.db import migrations


@cache
def reversed_code(key, code):
    return f"{key}-{code[::-1]}"


def forwards(apps, schema_editor):
    Reading = apps.get_model("readings", "Reading")
    for key, code in Reading.objects.values_list("pk", "code").iterator():
        reversed_code(key, code)


class Migration(migrations.Migration):
    dependencies = [("readings", "0030_error_of_each_page")]

    operations = [migrations.RunPython(forwards, migrations.RunPython.noop)]
