sources AS (
    -- What the statement of a table reads: rows, and of each column values and bytes.
    SELECT tbl, -1 AS cid, 'SELECT ' || n || ' AS n' AS line FROM estimates
    UNION ALL
    SELECT tbl, cid, ', NULL AS c' || cid || ', NULL AS b' || cid FROM columns
),
origins AS (
    SELECT tbl, '' AS origin FROM tables
),
