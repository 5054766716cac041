from django.db import migrations


def forwards(apps, schema_editor):
    Article = apps.get_model("articles", "Article")
    last = 0
    while page := list(Article.objects.filter(pk__gt=last).order_by("pk")[:5_000]):
        last = page[-1].pk


class Migration(migrations.Migration):
    dependencies = [("articles", "0008_paginator")]

    operations = [migrations.RunPython(forwards, migrations.RunPython.noop)]
