scans AS MATERIALIZED (
    -- Each table is read once.  What comes back are sums by a label: "n" is the number of rows,
    -- "c1" that of the first column's values that are not NULL, "b1" the bytes of these.
    -- ts_stat() runs a statement that is written here, on every server: query_to_xml() would need
    -- one that was built with libxml.
    SELECT l.leaf,
           (
               SELECT jsonb_object_agg(split_part(word, ' ', 1), split_part(word, ' ', 2)::numeric)
               FROM pg_catalog.ts_stat(
                   format(
                       'SELECT array_to_tsvector(array_remove(ARRAY[''n '' || count(*)%s], NULL))'
                       ' FROM ONLY %I.%I',
                       (
                           SELECT string_agg(
                               format(', ''c%2$s '' || count(%1$I)', a.attname, a.attnum)
                               || CASE
                                      WHEN t.typname = 'bytea'
                                          THEN format(', ''b%2$s '' || sum(octet_length(%1$I))', a.attname, a.attnum)
                                      WHEN t.typcategory IN ('S', 'A')
                                          OR t.typname IN ('json', 'jsonb', 'xml', 'hstore')
                                          THEN format(', ''b%2$s '' || sum(octet_length(%1$I::text))', a.attname, a.attnum)
                                      ELSE ''
                                  END,
                               '' ORDER BY a.attnum
                           )
                           FROM pg_catalog.pg_attribute a
                           JOIN pg_catalog.pg_type t ON t.oid = a.atttypid
                           WHERE a.attrelid = l.leaf AND a.attnum > 0 AND NOT a.attisdropped
                       ),
                       l.nspname, l.relname
                   )
               )
           ) AS found
    FROM (SELECT DISTINCT leaf, nspname, relname FROM leaves) l
),
leaf_rows AS (
    SELECT leaf, (found ->> 'n')::numeric AS n FROM scans
),
leaf_columns AS (
    -- The width of a type that is not measured, such as numeric, is the catalogue's.
    SELECT m.leaf, m.attname, m.filled, coalesce(m.bytes, m.filled * e.width) AS bytes
    FROM (
        SELECT s.leaf, a.attname,
               (s.found ->> ('c' || a.attnum))::numeric AS filled,
               (s.found ->> ('b' || a.attnum))::numeric AS bytes
        FROM scans s
        JOIN pg_catalog.pg_attribute a ON a.attrelid = s.leaf
        WHERE a.attnum > 0 AND NOT a.attisdropped
    ) m
    LEFT JOIN estimated_columns e ON e.leaf = m.leaf AND e.attname = m.attname
),
