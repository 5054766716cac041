from functools import lru_cache

from django.db import migrations


@lru_cache(maxsize=50_000)
def reversed_code(key, code):
    return f"{key}-{code[::-1]}"


def forwards(apps, schema_editor):
    Reading = apps.get_model("readings", "Reading")
    for key, code in Reading.objects.values_list("pk", "code").iterator():
        reversed_code(key, code)


class Migration(migrations.Migration):
    dependencies = [("readings", "0031_cache_without_end")]

    operations = [migrations.RunPython(forwards, migrations.RunPython.noop)]
