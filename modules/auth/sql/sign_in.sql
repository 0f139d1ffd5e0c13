-- What a password is compared with; no row: nobody who can sign in.
-- $1 email
-- columns: user, stored password
select s.user_id, s.hashed_password from open.sign_in($1) s
