from itertools import islice

from django.db import migrations


def upper_titles(apps, schema_editor):
    Post = apps.get_model("blog", "Post")
    stream = Post.objects.only("title").iterator()
    while batch := list(islice(stream, 500)):
        for post in batch:
            post.title = post.title.upper()
        Post.objects.bulk_update(batch, ["title"])


class Migration(migrations.Migration):
    dependencies = [("blog", "0005_defer_iterator")]

    operations = [migrations.RunPython(upper_titles, migrations.RunPython.noop)]
