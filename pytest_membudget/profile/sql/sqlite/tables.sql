-- Each row of this is a line of SQL: a statement has to name the tables that it looks at.
WITH tables AS (
    SELECT name AS tbl,
           '"' || replace(name, '"', '""') || '"' AS quoted,
           instr(upper(sql), 'AUTOINCREMENT') > 0 AS numbered,
           row_number() OVER (ORDER BY name DESC) = 1 AS last
    FROM sqlite_master
    WHERE type = 'table' AND name NOT LIKE 'sqlite\_%' ESCAPE '\' AND sql NOT LIKE 'CREATE VIRTUAL%'
),
columns AS (
    SELECT t.tbl, c.cid, c.name AS col, c.type, c."notnull" OR c.pk > 0 AS required,
           '"' || replace(c.name, '"', '""') || '"' AS quoted,
           c.pk > 0 AND max(c.pk) OVER (PARTITION BY t.tbl) = 1 AS is_key,
           row_number() OVER (PARTITION BY t.tbl ORDER BY c.name DESC) = 1 AS last
    FROM tables t
    -- Unlike table_info it has generated columns; 1 are the hidden ones of a virtual table.
    JOIN pragma_table_xinfo(t.tbl) c ON c.hidden <> 1
),
statistics AS (
    -- Neither table need be there.
    SELECT EXISTS (SELECT 1 FROM sqlite_master WHERE name = 'sqlite_stat1') AS analysed,
           EXISTS (SELECT 1 FROM sqlite_master WHERE name = 'sqlite_sequence') AS numbers
),
estimates AS (
    -- sqlite_stat1 starts with the rows of an index, and then those of each value of its first
    -- column.  sqlite_sequence has the highest key that was ever given.
    SELECT tbl,
           'coalesce('
           || CASE WHEN analysed
                  THEN '(SELECT max(CAST(stat AS integer)) FROM sqlite_stat1 WHERE tbl = '
                       || quote(tbl) || '), '
                  ELSE '' END
           || CASE WHEN numbered AND numbers
                  THEN '(SELECT seq FROM sqlite_sequence WHERE name = ' || quote(tbl) || '), 0, '
                  ELSE '' END
           || 'NULL, NULL)' AS n
    FROM tables, statistics
),
different AS (
    SELECT tbl, cid,
           CASE
               WHEN is_key THEN 'n'
               WHEN analysed
                   THEN '(SELECT max(CAST(stat AS integer)'
                        || ' / nullif(CAST(substr(stat, instr(stat, '' '') + 1) AS integer), 0))'
                        || ' FROM sqlite_stat1 s WHERE s.tbl = ' || quote(tbl)
                        || ' AND (SELECT i.name FROM pragma_index_info(s.idx) i WHERE i.seqno = 0) = '
                        || quote(col) || ')'
               ELSE 'NULL'
           END AS d
    FROM columns, statistics
),
