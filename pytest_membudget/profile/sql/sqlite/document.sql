shares AS (
    SELECT tbl, cid,
           printf('rtrim(rtrim(1 - round(1.0 * c%d / nullif(n, 0), 4), ''0''), ''.'')', cid) AS share
    FROM columns
),
lines AS (
    SELECT 0 AS part, '' AS tbl, 0 AS step, '' AS col,
           'SELECT ' || quote('{
  "membudget_profile": 1,
  "database": {"vendor": "sqlite", "version": "' || sqlite_version() || '"},
  "taken": "' || date('now') || '",
  "exact": {exact},
  "tables": {') || ';' AS line
    UNION ALL
    SELECT 1, tbl, 0, '', 'SELECT ' || quote('    ' || json_quote(tbl) || ': {
      "rows": ') || ' || coalesce(n, ''null'') || ' || quote(',
      "columns": {
')
    FROM tables
    UNION ALL
    SELECT 1, tbl, 1, col,
           printf(
               '|| (%s || coalesce(%s || rtrim(rtrim(round(1.0 * b%d / c%d, 1), ''0''), ''.''), '''')'
               || ' || coalesce(%s || %s, '''') || coalesce(%s || %s, '''') || %s)',
               quote('        ' || json_quote(col) || ': {"type": ' || json_quote(lower(type))),
               quote(', "width": '), cid, cid,
               quote(', "nulls": '), CASE WHEN required THEN '0' ELSE share END,
               quote(', "distinct": '), d,
               quote(iif(last, '}
', '},
'))
           )
    FROM columns JOIN different USING (tbl, cid) JOIN shares USING (tbl, cid)
    UNION ALL
    SELECT 1, tbl, 2, '', '|| ' || quote('      }
    }' || iif(last, '', ',')) || ' FROM ('
    FROM tables
    UNION ALL
    SELECT 1, tbl, 3, CAST(cid AS text), line FROM sources
    UNION ALL
    SELECT 1, tbl, 4, '', origin || ');' FROM origins
    UNION ALL
    SELECT 2, '', 0, '', 'SELECT ''  }
}'';'
)
SELECT line FROM lines ORDER BY part, tbl, step, col
