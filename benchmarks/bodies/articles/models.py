from django.db import models


class Article(models.Model):
    """Wide: a text, a JSON document, and a few strings."""

    title = models.CharField(max_length=200)
    slug = models.SlugField(max_length=80, unique=True)
    body = models.TextField()
    metadata = models.JSONField(default=dict)
    published = models.DateTimeField(null=True)
    words = models.PositiveIntegerField(default=0)
