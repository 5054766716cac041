from django.db import migrations


def forwards(apps, schema_editor):
    Article = apps.get_model("articles", "Article")
    text = "\n".join(Article.objects.values_list("body", flat=True).iterator())
    assert text or not Article.objects.exists()


class Migration(migrations.Migration):
    dependencies = [("articles", "0014_json_documents_by_article")]

    operations = [migrations.RunPython(forwards, migrations.RunPython.noop)]
