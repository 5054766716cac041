from django.db import migrations

from documents.words import count_words


def store_word_counts(apps, schema_editor):
    Document = apps.get_model("documents", "Document")
    documents = []
    for document in Document.objects.iterator(chunk_size=1000):
        document.words = count_words(document.body)
        # The iterator lets go of each document; this list does not.
        documents.append(document)
    Document.objects.bulk_update(documents, ["words"], batch_size=1000)


class Migration(migrations.Migration):
    dependencies = [("documents", "0003_iterator")]

    operations = [migrations.RunPython(store_word_counts, migrations.RunPython.noop)]
