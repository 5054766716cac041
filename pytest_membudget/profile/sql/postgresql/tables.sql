WITH relations AS (
    -- Tables as Django names them: found on the search_path, without their schema.
    SELECT c.oid, c.relname, c.relkind
    FROM pg_catalog.pg_class c
    JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
    WHERE c.relkind IN ('r', 'p')
      AND n.nspname = ANY (current_schemas(false))
      AND n.nspname NOT IN ('pg_catalog', 'information_schema')
      AND pg_catalog.pg_table_is_visible(c.oid)
),
leaves AS (
    -- Where the rows are: in the table itself or, of a partitioned one, in its partitions.
    SELECT r.oid AS relation, c.oid AS leaf, c.relkind, c.relname, n.nspname,
           c.reltuples, c.reltoastrelid
    FROM relations r
    LEFT JOIN LATERAL pg_catalog.pg_partition_tree(r.oid) t ON t.isleaf
    JOIN pg_catalog.pg_class c ON c.oid = coalesce(t.relid::oid, r.oid)
    JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
),
estimated_rows AS (
    -- reltuples is -1 until a table is analysed; one that has no pages has no rows all the same.
    SELECT DISTINCT leaf,
           CASE
               WHEN reltuples >= 0 THEN reltuples::bigint
               WHEN relkind = 'p' THEN 0
               WHEN relkind = 'r' AND pg_catalog.pg_relation_size(leaf::regclass) = 0 THEN 0
           END AS n
    FROM leaves
),
estimated_columns AS (
    -- avg_width counts a variable-width value's own header: 1 byte below 128, else 4.
    SELECT DISTINCT l.leaf, s.attname, s.null_frac::numeric AS nulls,
           nullif(s.avg_width, 0) - CASE WHEN s.avg_width < 128 THEN 1 ELSE 4 END AS width
    FROM leaves l
    JOIN pg_catalog.pg_stats s
      ON s.schemaname = l.nspname AND s.tablename = l.relname AND NOT s.inherited
),
