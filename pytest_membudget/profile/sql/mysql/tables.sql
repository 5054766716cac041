WITH tables AS (
    SELECT t.table_name AS tbl, t.table_rows AS n, t.avg_row_length AS row_bytes,
           row_number() OVER (ORDER BY CAST(t.table_name AS binary) DESC) = 1 AS last
    FROM information_schema.tables t
    WHERE t.table_schema = database()
      AND t.table_type IN ('BASE TABLE', 'SYSTEM VERSIONED')
),
columns AS (
    -- Types of a fixed width, with the bytes of fractional seconds.
    SELECT c.table_name AS tbl, c.ordinal_position AS cid, c.column_name AS col,
           c.column_type AS type, c.is_nullable = 'NO' AS required,
           c.data_type IN (
               'char', 'varchar', 'tinytext', 'text', 'mediumtext', 'longtext', 'json',
               'binary', 'varbinary', 'tinyblob', 'blob', 'mediumblob', 'longblob'
           ) AS measurable,
           CASE c.data_type
               WHEN 'tinyint' THEN 1 WHEN 'smallint' THEN 2 WHEN 'mediumint' THEN 3
               WHEN 'int' THEN 4 WHEN 'bigint' THEN 8 WHEN 'float' THEN 4 WHEN 'double' THEN 8
               WHEN 'year' THEN 1 WHEN 'date' THEN 3
               WHEN 'time' THEN 3 + ceiling(c.datetime_precision / 2)
               WHEN 'timestamp' THEN 4 + ceiling(c.datetime_precision / 2)
               WHEN 'datetime' THEN 5 + ceiling(c.datetime_precision / 2)
               WHEN 'uuid' THEN 16
           END AS width,
           row_number() OVER (
               PARTITION BY c.table_name ORDER BY CAST(c.column_name AS binary) DESC
           ) = 1 AS last
    FROM information_schema.columns c
    JOIN tables t ON t.tbl = c.table_name
    WHERE c.table_schema = database()
),
different AS (
    -- Of the first column of each index.
    SELECT s.table_name AS tbl, s.column_name AS col, max(s.cardinality) AS d
    FROM information_schema.statistics s
    WHERE s.table_schema = database() AND s.seq_in_index = 1
    GROUP BY s.table_name, s.column_name
),
facts AS (
    -- What the catalogue tells of a column, as JSON.
    SELECT c.tbl, c.cid, c.col, c.measurable, c.required, c.last,
           concat('        ', json_quote(c.col), ': {"type": ', json_quote(c.type),
                  coalesce(concat(', "width": ', c.width), '')) AS head,
           concat(coalesce(concat(', "distinct": ', d.d), ''), '}', if(c.last, '', ',')) AS tail
    FROM columns c
    LEFT JOIN different d ON d.tbl = c.tbl AND d.col = c.col
),
opening AS (
    SELECT concat(
        '{\n  "membudget_profile": 1,\n  "database": {"vendor": "mysql", "version": ',
        json_quote(concat(
            substring_index(version(), '-', 1), if(version() LIKE '%MariaDB%', '-MariaDB', '')
        )),
        '},\n  "taken": "', utc_date(), '",\n  "exact": {exact},\n  "tables": {'
    ) AS line
)
