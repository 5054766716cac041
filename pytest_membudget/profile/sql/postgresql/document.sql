tables AS (
    SELECT r.oid, r.relname, r.relkind,
           CASE WHEN bool_and(n.n IS NOT NULL) THEN sum(n.n) END AS n,
           sum(pg_catalog.pg_relation_size(l.reltoastrelid::regclass))
               FILTER (WHERE l.reltoastrelid <> 0) AS toast_bytes
    FROM relations r
    JOIN leaves l ON l.relation = r.oid
    JOIN leaf_rows n ON n.leaf = l.leaf
    GROUP BY r.oid, r.relname, r.relkind
),
filled AS (
    SELECT l.relation, c.attname, sum(c.filled) AS filled, sum(c.bytes) AS bytes,
           sum(n.n) AS n
    FROM leaves l
    JOIN leaf_rows n ON n.leaf = l.leaf
    JOIN leaf_columns c ON c.leaf = l.leaf
    GROUP BY l.relation, c.attname
),
columns AS (
    SELECT t.oid, a.attname,
           pg_catalog.format_type(a.atttypid, a.atttypmod) AS type,
           CASE WHEN a.attlen > 0 THEN a.attlen ELSE f.bytes / nullif(f.filled, 0) END AS width,
           CASE WHEN a.attnotnull THEN 0 ELSE 1 - f.filled / nullif(f.n, 0) END AS nulls,
           -- Below 0 it is a share of the rows, 0 is not known.
           CASE
               WHEN s.n_distinct > 0 THEN s.n_distinct::bigint
               WHEN s.n_distinct < 0 THEN round(-s.n_distinct::numeric * t.n)
           END AS different,
           {shares} AS shares
    FROM tables t
    JOIN pg_catalog.pg_class c ON c.oid = t.oid
    JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
    JOIN pg_catalog.pg_attribute a ON a.attrelid = t.oid AND a.attnum > 0 AND NOT a.attisdropped
    LEFT JOIN filled f ON f.relation = t.oid AND f.attname = a.attname
    LEFT JOIN pg_catalog.pg_stats s
      ON s.schemaname = n.nspname AND s.tablename = c.relname AND s.attname = a.attname
     AND s.inherited = (t.relkind = 'p')
),
column_lines AS (
    SELECT oid,
           string_agg(
               '        ' || to_json(attname::text) || ': {"type": ' || to_json(type)
               || coalesce(', "width": ' || trim_scale(round(width, 1)), '')
               || coalesce(', "nulls": ' || trim_scale(round(nulls, 4)), '')
               || coalesce(', "distinct": ' || different, '')
               || coalesce(', "shares": ' || shares, '') || '}',
               E',\n' ORDER BY attname COLLATE "C"
           ) AS lines
    FROM columns
    GROUP BY oid
),
table_lines AS (
    SELECT string_agg(
               '    ' || to_json(t.relname::text) || E': {\n      "rows": ' || coalesce(t.n::text, 'null')
               || CASE WHEN {exact} THEN '' ELSE coalesce(E',\n      "toast_bytes": ' || t.toast_bytes, '') END
               || E',\n      "columns": {\n' || coalesce(c.lines || E'\n', '') || E'      }\n    }',
               E',\n' ORDER BY t.relname COLLATE "C"
           ) AS lines
    FROM tables t
    LEFT JOIN column_lines c ON c.oid = t.oid
)
SELECT E'{\n  "membudget_profile": 1,\n  "database": {"vendor": "postgresql", "version": '
    || to_json(split_part(current_setting('server_version'), ' ', 1))
    || E'},\n  "taken": "' || to_char(now() AT TIME ZONE 'UTC', 'YYYY-MM-DD')
    || E'",\n  "exact": {exact},\n  "tables": {\n'
    || coalesce(lines || E'\n', '') || E'  }\n}'
FROM table_lines
