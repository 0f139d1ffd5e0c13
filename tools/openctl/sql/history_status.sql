-- The partitions, the oldest first.
select p.part::text, to_char(p.begins at time zone 'UTC', 'YYYY-MM-DD') as begins,
       to_char(p.ends at time zone 'UTC', 'YYYY-MM-DD') as ends,
       greatest(c.reltuples, 0)::bigint as rows, pg_total_relation_size(p.part) as bytes
  from open.history_partitions p
  join pg_class c on c.oid = p.part
 order by p.begins, p.part::text
