CASE
               -- Below 0 they are so many that each may be of a few rows only.
               WHEN s.n_distinct BETWEEN 1 AND 20
                AND pg_catalog.format_type(a.atttypid, NULL) IN (
                    'boolean', 'smallint', 'integer', 'bigint', 'text', 'character varying'
                )
               THEN (
                   SELECT '{' || string_agg(
                              '"' || hash || '": ' || trim_scale(round(share, 4)), ', ' ORDER BY hash
                          ) || '}'
                   FROM (
                       SELECT left(
                                  encode(
                                      sha256(
                                          convert_to(c.relname || '.' || a.attname || '=' || v.val, 'UTF8')
                                      ),
                                      'hex'
                                  ),
                                  8
                              ) AS hash,
                              sum(v.freq::numeric) AS share
                       FROM unnest(s.most_common_vals::text::text[], s.most_common_freqs) v (val, freq)
                       WHERE v.freq * t.n >= 10
                       GROUP BY 1
                   ) hashed
               )
           END
