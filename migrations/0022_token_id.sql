-- 0022_token_id - whoever makes an API token through the server names it, to read it back.
grant insert (id) on open.api_tokens to open_server;
