from django.core.paginator import Paginator
from django.db import migrations


def forwards(apps, schema_editor):
    Article = apps.get_model("articles", "Article")
    for page in Paginator(Article.objects.order_by("pk"), 2_000):
        for article in page:
            article.words = len(article.body.split())


class Migration(migrations.Migration):
    dependencies = [("articles", "0007_values_of_all")]

    operations = [migrations.RunPython(forwards, migrations.RunPython.noop)]
