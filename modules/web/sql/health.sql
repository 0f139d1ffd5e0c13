-- What of the migrations is applied, as migrations.h writes it.
-- columns: text
select coalesce(string_agg(m.number || ' ' || m.checksum || chr(10), '' order by m.number), '')
  from open.migrations m
