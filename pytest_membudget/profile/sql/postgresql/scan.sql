scans AS MATERIALIZED (
    -- Each table is read once.  What comes back are sums: rows, values that are not NULL, bytes.
    SELECT l.leaf,
           pg_catalog.query_to_xml(
               format(
                   'SELECT count(*) AS n%s FROM ONLY %I.%I',
                   (
                       SELECT string_agg(
                           format(', count(%1$I) AS c%2$s', a.attname, a.attnum)
                           || CASE
                                  WHEN t.typname = 'bytea'
                                      THEN format(', sum(octet_length(%1$I)) AS b%2$s', a.attname, a.attnum)
                                  WHEN t.typcategory IN ('S', 'A')
                                      OR t.typname IN ('json', 'jsonb', 'xml', 'hstore')
                                      THEN format(', sum(octet_length(%1$I::text)) AS b%2$s', a.attname, a.attnum)
                                  ELSE ''
                              END,
                           '' ORDER BY a.attnum
                       )
                       FROM pg_catalog.pg_attribute a
                       JOIN pg_catalog.pg_type t ON t.oid = a.atttypid
                       WHERE a.attrelid = l.leaf AND a.attnum > 0 AND NOT a.attisdropped
                   ),
                   l.nspname, l.relname
               ),
               false, true, ''
           ) AS found
    FROM (SELECT DISTINCT leaf, nspname, relname FROM leaves) l
),
leaf_rows AS (
    SELECT leaf, (xpath('/row/n/text()', found))[1]::text::numeric AS n FROM scans
),
leaf_columns AS (
    -- The width of a type that is not measured, such as numeric, is the catalogue's.
    SELECT m.leaf, m.attname, m.filled, coalesce(m.bytes, m.filled * e.width) AS bytes
    FROM (
        SELECT s.leaf, a.attname,
               (xpath('/row/c' || a.attnum || '/text()', s.found))[1]::text::numeric AS filled,
               (xpath('/row/b' || a.attnum || '/text()', s.found))[1]::text::numeric AS bytes
        FROM scans s
        JOIN pg_catalog.pg_attribute a ON a.attrelid = s.leaf
        WHERE a.attnum > 0 AND NOT a.attisdropped
    ) m
    LEFT JOIN estimated_columns e ON e.leaf = m.leaf AND e.attname = m.attname
),
