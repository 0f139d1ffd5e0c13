// Who may do what, as the tests expect it: every operation of the server with the answer that each kind of actor gets. Written by
// hand, never from modules/web/policy.c. A new route has a row here, or tests/integration/matrix.test.mjs fails.
//
//   scope    what an API token needs; null: none (any token), undefined: not even a token
//   member   of the organization, who did not make the thing; creator: who made it; admin: of the organization;
//   stranger an admin of another organization, asking for the same id
//   on       what the path's id is of (made in matrix.test.mjs); fresh: a new one for each attempt
//   code     of the error that even those get who may; takes: attributes that elsewhere nobody may give
//   body     what is sent; more: further attributes (mass assignment, injections)
const attributes = (type, given, more = {}, rest = {}) => ({ data: { type, ...rest, attributes: { ...given, ...more } } });
const definition = { nodes: [{ name: "a" }] };
let count = 0;
const name = () => `matrix_${process.pid}_${++count}`;

const read = (on, more = {}) => ({ scope: "read", on, member: 200, creator: 200, admin: 200, stranger: on ? 404 : 200, ...more });
const everybody = { member: 200, creator: 200, admin: 200, stranger: 200 };
const same = (status) => ({ member: status, creator: status, admin: status, stranger: status });
const makers = (status) => ({ member: 403, creator: status, admin: status, stranger: 404, fresh: true });
const admins = (status, more = {}) => ({ scope: "admin", member: 403, creator: 403, admin: status, stranger: 404, ...more });

export const OPERATIONS = {
	// --- for anyone ---
	"GET /healthz": everybody,
	"GET /readyz": everybody,
	"GET /metrics": everybody,
	"GET /api/v1/openapi.json": everybody,
	"GET /": everybody,
	"GET /console/console.css": everybody,
	"GET /console/console.js": everybody,
	"GET /console/api.js": everybody,

	"POST /api/v1/auth/password-reset": { member: 202, creator: 202, admin: 202, stranger: 202, body: (s, more) => attributes("password-resets", { email: "nobody@example.test" }, more) },
	"POST /api/v1/auth/password-reset/confirm": { member: 422, creator: 422, admin: 422, stranger: 422, body: (s, more) => attributes("password-resets", { token: "made up", password: "quiet-Kestrel plough 91" }, more) },

	// --- GraphQL: each field by itself, see FIELDS ---
	// A WebSocket brings its credentials later (connection_init).
	"GET /graphql": { scope: null, query: () => "query=%7B__typename%7D", ...everybody },
	"POST /graphql": { scope: null, member: 200, creator: 200, admin: 200, stranger: 200, type: "application/json", body: (s, more = {}) => ({ query: "{ __typename }", variables: more }) },

	// --- catalog ---
	"GET /api/v1/ops": { scope: "read", ...everybody },
	"GET /api/v1/ops/{id}": { scope: "read", on: "op", ...everybody },
	"GET /api/v1/dags": read(),
	"POST /api/v1/dags": { scope: "write", member: 201, creator: 201, admin: 201, stranger: 201, body: (s, more) => attributes("dags", { name: name(), definition }, more) },
	"GET /api/v1/dags/{id}": read("dag"),
	"PATCH /api/v1/dags/{id}": { scope: "write", on: "dag", ...makers(200), body: (s, more) => attributes("dags", { description: "changed" }, more, { id: s }) },
	"DELETE /api/v1/dags/{id}": { scope: "write", on: "dag", ...makers(204) },
	"POST /api/v1/dags/{id}/activate": { scope: "write", on: "dag", ...makers(200), body: (s, more) => attributes("dags", { version: 1 }, more) },
	"POST /api/v1/dags/{id}/archive": { scope: "write", on: "dag", ...makers(200) },
	"GET /api/v1/dags/{id}/versions": read("dag"),
	"GET /api/v1/dags/{id}/executions": read("dag"),
	"GET /api/v1/dag-versions": read(undefined, { query: (s) => `filter[dag]=${s.dag}` }),
	"GET /api/v1/dag-versions/{id}": read("version"),
	"GET /api/v1/organizations": read(),
	"GET /api/v1/organizations/{id}": read("organization"),

	// --- executions ---
	"GET /api/v1/executions": read(),
	"POST /api/v1/executions": {
		scope: "execute", member: 201, creator: 201, admin: 201, stranger: 404, names: "active",
		body: (s, more) => attributes("executions", {}, more, { relationships: { dag: { data: { type: "dags", id: s } } } }),
	},
	"GET /api/v1/executions/{id}": read("execution"),
	"POST /api/v1/executions/{id}/cancel": { scope: "execute", on: "execution", ...makers(202) },
	"POST /api/v1/executions/{id}/pause": { scope: "execute", on: "execution", ...makers(202) },
	"POST /api/v1/executions/{id}/resume": { scope: "execute", on: "execution", ...makers(202) },
	"POST /api/v1/executions/{id}/rerun": { scope: "execute", on: "ended", ...makers(201), fresh: false, body: (s, more) => attributes("executions", { context: {} }, more) },
	"GET /api/v1/executions/{id}/node-executions": read("execution"),
	"GET /api/v1/executions/{id}/children": read("execution"),
	"GET /api/v1/executions/{id}/signals": read("execution"),
	"POST /api/v1/executions/{id}/signals": { scope: "execute", on: "execution", ...makers(201), body: (s, more) => attributes("signals", { name: "other", value: 1 }, more) },
	"GET /api/v1/node-executions": read(undefined, { query: (s) => `filter[execution]=${s.ended}` }),
	"GET /api/v1/node-executions/{id}": read("node"),
	"GET /api/v1/node-executions/{id}/elements": read("node"),
	"GET /api/v1/signals": read(undefined, { query: (s) => `filter[execution]=${s.ended}` }),
	"GET /api/v1/signals/{id}": read("signal"),

	// --- secrets, the audit log ---
	"GET /api/v1/secrets": admins(200, { stranger: 200 }),
	"POST /api/v1/secrets": admins(201, { stranger: 201, body: (s, more) => attributes("secrets", { name: name(), value: "v" }, more) }),
	"GET /api/v1/secrets/{id}": admins(200, { on: "secret" }),
	"PATCH /api/v1/secrets/{id}": admins(200, { on: "secret", body: (s, more) => attributes("secrets", { value: "changed" }, more, { id: s }) }),
	"DELETE /api/v1/secrets/{id}": admins(204, { on: "secret", fresh: true }),

	// --- registered operations ---
	"GET /api/v1/graphql-operations": read(),
	"POST /api/v1/graphql-operations": admins(201, { stranger: 201, body: (s, more) => attributes("graphql-operations", { name: name(), document: `{ ${name()}: __typename }` }, more) }),
	"GET /api/v1/graphql-operations/{id}": read("operation"),
	"DELETE /api/v1/graphql-operations/{id}": admins(204, { on: "operation", fresh: true }),

	// --- people ---
	"PATCH /api/v1/organizations/{id}": admins(200, { on: "organization", takes: ["compute_quota", "storage_quota"], body: (s, more) => attributes("organizations", { settings: { max_nodes: 1000 } }, more, { id: s }) }),
	"GET /api/v1/organizations/{id}/users": read("organization"),
	"GET /api/v1/users": read(),
	"GET /api/v1/users/{id}": read("user"),
	"PATCH /api/v1/users/{id}": admins(200, { on: "user", body: (s, more) => attributes("users", { active: true }, more, { id: s }) }),
	"DELETE /api/v1/users/{id}": admins(204, { on: "user", fresh: true }),
	"GET /api/v1/users/{id}/dags": read("user"),
	"GET /api/v1/users/me": { scope: "read", ...everybody },
	"PATCH /api/v1/users/me": { scope: "admin", ...everybody, body: (s, more) => attributes("users", { name: "called" }, more) },
	"GET /api/v1/invitations": admins(200, { stranger: 200 }),
	"POST /api/v1/invitations": admins(201, { stranger: 201, body: (s, more) => attributes("invitations", { email: `${name()}@example.test` }, more) }),
	"GET /api/v1/invitations/{id}": admins(200, { on: "invitation" }),
	"DELETE /api/v1/invitations/{id}": admins(204, { on: "invitation", fresh: true }),
	"POST /api/v1/invitations/accept": { ...same(422), code: "invalid_token", body: (s, more) => attributes("invitations", { token: "open_i_x" }, more) },
	"POST /api/v1/auth/sign-in": { ...same(401), code: "invalid_credentials", takes: ["organization"], body: (s, more) => attributes("sessions", { email: "nobody@example.test", password: "not a password" }, more) },
	"POST /api/v1/auth/register": { ...same(403), code: "registration_closed", body: (s, more) => attributes("users", { email: `${name()}@example.test` }, more) },
	"POST /api/v1/auth/confirm": { ...same(422), code: "invalid_token", body: (s, more) => attributes("users", { token: "open_c_x", password: "seventeen violet herons" }, more) },
	"POST /api/v1/auth/sign-out": { scope: null, ...same(403), code: "session_needed" },
	"POST /api/v1/auth/sign-out-everywhere": { scope: null, ...same(403), code: "session_needed" },
	"POST /api/v1/auth/switch": { scope: null, ...same(403), code: "session_needed", takes: ["organization"], body: (s, more) => attributes("sessions", { organization: "demo" }, more) },
	"POST /api/v1/auth/password": { scope: "admin", ...same(403), code: "wrong_password", body: (s, more) => attributes("passwords", { current: "not the password", password: "seventeen violet herons" }, more) },

	// --- credentials: one's own; of tokens admins have all ---
	"GET /api/v1/tokens": { scope: "admin", ...everybody },
	"POST /api/v1/tokens": { scope: "admin", member: 201, creator: 201, admin: 201, stranger: 201, body: (s, more) => attributes("tokens", { name: name(), scopes: ["admin"] }, more) },
	"GET /api/v1/tokens/{id}": { scope: "admin", on: "token", member: 404, creator: 200, admin: 200, stranger: 404 },
	"DELETE /api/v1/tokens/{id}": { scope: "admin", on: "token", fresh: true, member: 404, creator: 204, admin: 204, stranger: 404 },
	"GET /api/v1/sessions": { scope: "admin", ...everybody },
	"GET /api/v1/sessions/{id}": { scope: "admin", on: "session", member: 404, creator: 200, admin: 404, stranger: 404 },
	"DELETE /api/v1/sessions/{id}": { scope: "admin", on: "session", fresh: true, member: 404, creator: 204, admin: 404, stranger: 404 },

	"GET /api/v1/audit-log": admins(200, { stranger: 200 }),
};

// What nobody may give in a body, whatever it is of.
export const NOT_TO_BE_GIVEN = {
	organization_id: "01900000-0000-7000-8000-000000000001", organization: "other", created_by: "01900000-0000-7000-8000-000000000002", creator: "me",
	user_id: "01900000-0000-7000-8000-000000000003", triggered_by: "01900000-0000-7000-8000-000000000004", sent_by: "me", status: "success", admin: true, scope: "admin",
	inserted_at: "2020-01-01T00:00:00Z", deleted_at: null, active_version_id: "01900000-0000-7000-8000-000000000005", plan: "x", server_id: "x", finished: true,
	hashed_password: "x", token_hash: "x", ciphertext: "x", key_id: "x", last_sign_in: "2020-01-01T00:00:00Z", compute_quota: 1e6, storage_quota: 1e6,
	triggered_from: "192.0.2.1", triggered_with: "01900000-0000-7000-8000-000000000006", __proto: {}, constructor: "x",
};

// Put into every string argument.
export const INJECTIONS = [
	"'", "''", "\"", "\\", "';--", "' or '1'='1", "') or true --", "1; drop table open.dags; --", "' union select hashed_password from open.users --",
	"'; select pg_sleep(10); --", "$1", "$$x$$", "{\"}", "%27%20or%201=1", "\u0000", "\u02bc or 1=1", "') returning (select ciphertext from open.secrets) --",
	"admin'/*", "@{dag}", "${{ secrets.OURS }}", "{a,b}", "\r\nset-cookie: a=b",
];

// GraphQL's root fields: [scope, whose thing's id is looked for (null: only whether the field is refused), member, creator, admin]; strangers see
// nothing. + seen, - not there, x refused.
const field = (scope, kind, cells = "+++", more = "") => ({ scope, kind, cells, more });
const both = (one, many, scope, kind, cells, more) => ({
	...(one ? { [one]: field(scope, kind, cells) } : {}), [many]: field(scope, kind, cells, more), [`${many}Connection`]: field(scope, kind, cells, more),
});
export const FIELDS = {
	...both("dag", "dags", "read", "dag"),
	...both("dagVersion", "dagVersions", "read", "version"),
	...both("execution", "executions", "read", "execution"),
	...both("nodeExecution", "nodeExecutions", "read", "node", "+++", "executionId: ended"),
	...both(null, "elements", "read", null, "+++", "nodeExecutionId: node"),
	...both("signal", "signals", "read", "signal", "+++", "executionId: ended"),
	...both("organization", "organizations", "read", "organization"),
	...both("user", "users", "read", "user"),
	...both("secret", "secrets", "admin", "secret", "xx+"),
	...both(null, "auditLog", "admin", null, "xx+"),
	...both("apiToken", "apiTokens", "admin", "token", "-++"),
	...both("session", "sessions", "admin", "session", "-+-"),
	currentUser: field("read", null),
};
