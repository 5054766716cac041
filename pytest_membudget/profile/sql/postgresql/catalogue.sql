leaf_rows AS (
    SELECT leaf, n FROM estimated_rows
),
leaf_columns AS (
    SELECT c.leaf, c.attname, r.n * (1 - c.nulls) AS filled, r.n * (1 - c.nulls) * c.width AS bytes
    FROM estimated_columns c
    JOIN estimated_rows r USING (leaf)
),
