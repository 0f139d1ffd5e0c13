-- How many mails wait, and how many were given up; forgets old ones.
-- columns: waiting, given up, forgotten
select (select count(*) from open.outbox o where o.sent_at is null and o.failed_at is null),
       (select count(*) from open.outbox o where o.failed_at is not null),
       open.mail_forget()
