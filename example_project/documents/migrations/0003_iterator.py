from django.db import migrations

from documents.words import count_words


def store_word_counts(apps, schema_editor):
    Document = apps.get_model("documents", "Document")
    for document in Document.objects.iterator(chunk_size=1000):
        document.words = count_words(document.body)
        document.save(update_fields=["words"])


class Migration(migrations.Migration):
    dependencies = [("documents", "0002_queryset")]

    operations = [migrations.RunPython(store_word_counts, migrations.RunPython.noop)]
