from collections import Counter

from django.db import migrations


def forwards(apps, schema_editor):
    Article = apps.get_model("articles", "Article")
    words = Counter()
    for body in Article.objects.values_list("body", flat=True).iterator():
        words.update(body.lower().split())


class Migration(migrations.Migration):
    dependencies = [("articles", "0011_in_bulk_by_pages")]

    operations = [migrations.RunPython(forwards, migrations.RunPython.noop)]
