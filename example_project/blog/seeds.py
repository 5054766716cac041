from django.db import connections

# Titles and authors are 32 hexadecimal characters; every hundredth author is in upper case.
GROW = {
    "sqlite": """
        WITH RECURSIVE numbers (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers LIMIT %s)
        INSERT INTO blog_post (title, author)
        SELECT
            lower(hex(randomblob(16))),
            iif(n %% 100 = 0, hex(randomblob(16)), lower(hex(randomblob(16))))
        FROM numbers
    """,
    "postgresql": """
        INSERT INTO blog_post (title, author)
        SELECT
            md5('title' || n),
            CASE WHEN n %% 100 = 0 THEN upper(md5(n::text)) ELSE md5(n::text) END
        FROM generate_series(1, %s) AS n
    """,
}


def seed_posts(apps, rows, using):
    connection = connections[using]
    with connection.cursor() as cursor:
        cursor.execute(GROW[connection.vendor], [rows["blog.Post"]])
