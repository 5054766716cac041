import json

from django.db import connections

SENTENCE = "Each paragraph is a sentence that somebody wrote on some long afternoon."

# About 4 KiB as text, and nested: parsed, it is several times as large.
DOCUMENT = {
    "title": "Minutes of the meeting",
    "tags": ["minutes", "meeting", "public"],
    "sections": [
        {
            "heading": f"Section {number}",
            "speaker": {"name": "Ada Lovelace", "email": "ada@example.com"},
            "paragraphs": [SENTENCE] * 4,
            "approved": True,
            "votes": {"yes": 12, "no": 3, "abstained": 1},
        }
        for number in range(8)
    ],
}

GROW = {
    "sqlite": """
        WITH RECURSIVE numbers (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers LIMIT %s)
        INSERT INTO documents_document (body) SELECT %s FROM numbers
    """,
    "postgresql": """
        WITH numbers AS (SELECT generate_series(1, %s))
        INSERT INTO documents_document (body) SELECT %s::jsonb FROM numbers
    """,
}


def seed_documents(apps, rows, using):
    connection = connections[using]
    with connection.cursor() as cursor:
        cursor.execute(GROW[connection.vendor], [rows["documents.Document"], json.dumps(DOCUMENT)])
