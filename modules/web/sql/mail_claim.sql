-- Takes mails that are due, at most one for three hashes.
-- $1 text[] SHA-256 of tokens in hexadecimal, of the kinds reset, confirm, invitation, again and again, $2 lease in milliseconds
-- columns: place of the hashes (from 1), id, recipient, template, data, attempt, age in milliseconds, time
select c.place, c.id, c.recipient, c.template, c.data, c.attempts,
       (extract(epoch from c.age) * 1000)::bigint,
       to_char(now() at time zone 'UTC', 'FMDD FMMonth YYYY, HH24:MI "UTC"')
  from open.mail_claim((select array_agg(decode(h, 'hex') order by n)
                          from unnest($1::text[]) with ordinality as u(h, n)),
                       $2::bigint * interval '1 millisecond') c
