-- 0005_control - executions that pause.

alter table open.executions add column paused_at timestamptz;    -- nothing of it starts; null: it goes on
grant update (paused_at) on open.executions to open_server;
