sources AS (
    -- What the statement of a table reads: rows, and of each column values and bytes.
    SELECT tbl, -1 AS cid, 'SELECT count(*) AS n' AS line FROM tables
    UNION ALL
    SELECT tbl, cid,
           ', count(' || quoted || ') AS c' || cid || ', sum(CASE WHEN typeof(' || quoted
           || ') IN (''text'', ''blob'') THEN length(CAST(' || quoted || ' AS blob)) END) AS b' || cid
    FROM columns
),
origins AS (
    SELECT tbl, ' FROM ' || quoted AS origin FROM tables
),
