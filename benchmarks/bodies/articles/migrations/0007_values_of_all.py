from django.db import migrations


def forwards(apps, schema_editor):
    Article = apps.get_model("articles", "Article")
    rows = list(Article.objects.values("title", "metadata"))
    assert len(rows) == Article.objects.count()


class Migration(migrations.Migration):
    dependencies = [("articles", "0006_only_the_title")]

    operations = [migrations.RunPython(forwards, migrations.RunPython.noop)]
