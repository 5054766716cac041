, listing AS (
    SELECT 0 AS part, '' AS tbl, 0 AS step, '' AS col, line FROM opening
    UNION ALL
    SELECT 1, tbl, 0, '', concat(
        '    ', json_quote(tbl), ': {\n      "rows": ', coalesce(n, 'null'),
        coalesce(concat(',\n      "row_bytes": ', row_bytes), ''), ',\n      "columns": {'
    )
    FROM tables
    UNION ALL
    SELECT 1, tbl, 1, col, concat(head, if(required, ', "nulls": 0', ''), tail) FROM facts
    UNION ALL
    SELECT 1, tbl, 2, '', concat('      }\n    }', if(last, '', ',')) FROM tables
    UNION ALL
    SELECT 2, '', 0, '', '  }\n}'
)
SELECT line FROM listing ORDER BY part, CAST(tbl AS binary), step, CAST(col AS binary)
