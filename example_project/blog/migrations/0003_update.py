from django.db import migrations
from django.db.models.functions import Lower


def lower_authors(apps, schema_editor):
    Post = apps.get_model("blog", "Post")
    Post.objects.update(author=Lower("author"))


class Migration(migrations.Migration):
    dependencies = [("blog", "0002_loop_over_all")]

    operations = [migrations.RunPython(lower_authors, migrations.RunPython.noop)]
