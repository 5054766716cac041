from django.db import migrations


def forwards(apps, schema_editor):
    Article = apps.get_model("articles", "Article")
    for article in Article.objects.defer("body", "metadata").iterator():
        article.slug = article.title.lower()


class Migration(migrations.Migration):
    dependencies = [("articles", "0003_iterator")]

    operations = [migrations.RunPython(forwards, migrations.RunPython.noop)]
