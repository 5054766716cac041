from django.db import migrations


def forwards(apps, schema_editor):
    Article = apps.get_model("articles", "Article")
    articles = Article.objects.in_bulk()
    assert len(articles) == Article.objects.count()


class Migration(migrations.Migration):
    dependencies = [("articles", "0009_keyset_pages")]

    operations = [migrations.RunPython(forwards, migrations.RunPython.noop)]
