-- Invites somebody into the actor's organization; null: he is a member.
-- $1 email, $2 role
select open.invite($1, $2, interval '7 days')
