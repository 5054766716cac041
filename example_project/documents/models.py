from django.db import models


class Document(models.Model):
    body = models.JSONField()
    words = models.PositiveIntegerField(null=True)

    def __str__(self):
        return f"Document {self.pk}"
