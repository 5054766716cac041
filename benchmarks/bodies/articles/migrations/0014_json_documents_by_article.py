from django.db import migrations


def forwards(apps, schema_editor):
    Article = apps.get_model("articles", "Article")
    documents = dict(Article.objects.values_list("pk", "metadata"))
    assert len(documents) == Article.objects.count()


class Migration(migrations.Migration):
    dependencies = [("articles", "0013_buffer_of_bodies_flushed_at_50_000")]

    operations = [migrations.RunPython(forwards, migrations.RunPython.noop)]
