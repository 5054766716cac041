-- Each row of this is a line of SQL: a statement has to name the tables that it scans.
, listing AS (
    SELECT 0 AS part, '' AS tbl, 0 AS step, '' AS col,
           concat('SELECT ', quote(line), ';') AS line
    FROM opening
    UNION ALL
    SELECT 1, tbl, 0, '', concat(
        'SELECT concat(', quote(concat('    ', json_quote(tbl), ': {\n      "rows": ')), ', n, ',
        quote(',\n      "columns": {\n')
    )
    FROM tables
    UNION ALL
    SELECT 1, tbl, 1, col, concat(
        ', ', quote(head),
        if(
            measurable,
            concat(', coalesce(concat('', "width": '', round(b', cid, ' / c', cid, ', 1) + 0e0), '''')'),
            ''
        ),
        if(
            required,
            ', '', "nulls": 0''',
            concat(
                ', coalesce(concat('', "nulls": '', round(1 - c', cid, ' / nullif(n, 0), 4) + 0e0), '''')'
            )
        ),
        ', ', quote(concat(tail, '\n'))
    )
    FROM facts
    UNION ALL
    SELECT 1, tbl, 2, '', concat(
        ', ', quote(concat('      }\n    }', if(last, '', ','))), ') FROM ('
    )
    FROM tables
    UNION ALL
    SELECT 1, tbl, 3, '', 'SELECT count(*) AS n' FROM tables
    UNION ALL
    SELECT 1, tbl, 4, col, concat(
        ', count(', concat('`', replace(col, '`', '``'), '`'), ') AS c', cid,
        if(
            measurable,
            concat(', sum(octet_length(`', replace(col, '`', '``'), '`)) AS b', cid),
            ''
        )
    )
    FROM facts
    UNION ALL
    SELECT 1, tbl, 5, '', concat('FROM `', replace(tbl, '`', '``'), '`) AS scanned;') FROM tables
    UNION ALL
    SELECT 2, '', 0, '', 'SELECT ''  }\n}'';'
)
SELECT line FROM listing ORDER BY part, CAST(tbl AS binary), step, CAST(col AS binary)
