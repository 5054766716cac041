from django.db import migrations


def forwards(apps, schema_editor):
    Article = apps.get_model("articles", "Article")
    keys = list(Article.objects.values_list("pk", flat=True))
    for start in range(0, len(keys), 2_000):
        articles = Article.objects.in_bulk(keys[start : start + 2_000])
        assert len(articles) <= 2_000


class Migration(migrations.Migration):
    dependencies = [("articles", "0010_in_bulk")]

    operations = [migrations.RunPython(forwards, migrations.RunPython.noop)]
