from django.db import migrations


def forwards(apps, schema_editor):
    Article = apps.get_model("articles", "Article")
    buffer = []
    for article in Article.objects.iterator():
        buffer.append(article)
        if len(buffer) >= 50_000:
            buffer.clear()


class Migration(migrations.Migration):
    dependencies = [("articles", "0012_words_counted")]

    operations = [migrations.RunPython(forwards, migrations.RunPython.noop)]
