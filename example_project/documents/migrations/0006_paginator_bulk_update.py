from django.core.paginator import Paginator
from django.db import migrations

from documents.words import count_words


def store_word_counts(apps, schema_editor):
    Document = apps.get_model("documents", "Document")
    for page in Paginator(Document.objects.order_by("pk"), 1000):
        for document in page:
            document.words = count_words(document.body)
        Document.objects.bulk_update(page, ["words"])


class Migration(migrations.Migration):
    dependencies = [("documents", "0005_paginator")]

    operations = [migrations.RunPython(store_word_counts, migrations.RunPython.noop)]
