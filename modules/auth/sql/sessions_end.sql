-- Ends all sessions of the actor; how many.
select open.sessions_end(null)
