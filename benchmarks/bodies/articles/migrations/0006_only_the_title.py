from django.db import migrations


def forwards(apps, schema_editor):
    Article = apps.get_model("articles", "Article")
    titles = list(Article.objects.only("title"))
    assert len(titles) == Article.objects.count()


class Migration(migrations.Migration):
    dependencies = [("articles", "0005_loop_over_all_deferred")]

    operations = [migrations.RunPython(forwards, migrations.RunPython.noop)]
