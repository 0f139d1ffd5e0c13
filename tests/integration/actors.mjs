// Who asks, in tests that try everything as everybody: people of two organizations, each scope, credentials that are none (any more).
import { Client, unique } from "./harness.mjs";

export const SCOPES = ["read", "execute", "write", "admin"];
export const NOWHERE = "0197f000-0000-7000-8000-000000000000"; // the id of nothing
export const waits = { nodes: [{ name: "w", op: "wait_for", with: { signal: "go" } }] };

// Each of items, some at a time.
export async function each(items, fn, width = 16) {
	const left = [...items];
	await Promise.all(Array.from({ length: width }, async () => {
		while (left.length > 0) await fn(left.shift());
	}));
}

// Someone else of the organization.
export async function another(admin, role, ...more) {
	const user = await admin.server.makeUser(admin.org, { role });
	return new Client(admin.server, admin.org, user, await admin.server.makeToken(user, ...more));
}

const as = (admin, token) => new Client(admin.server, admin.org, admin.user, token);

// An admin's token that something is done to.
export async function altered(admin, sql) {
	const token = await admin.server.makeToken(admin.user, "--name", unique("altered"));
	await admin.server.psql(`update open.api_tokens set ${sql} where id = (select id from open.api_tokens order by inserted_at desc limit 1)`);
	return as(admin, token);
}

// name → client: the admin, a creator of things and a member of one organization, an admin of another (stranger), and credentials of the
// admin: none, made up, expired, revoked, with one scope each.
export async function makeActors(server) {
	const [admin, stranger] = [await server.makeClient(), await server.makeClient()];
	const actors = { admin, stranger, creator: await another(admin, "user"), member: await another(admin, "user"), none: as(admin, undefined) };
	actors["made up"] = as(admin, `${admin.token.slice(0, -3)}xyz`);
	actors.expired = await altered(admin, "expires_at = now() - interval '1 second'");
	actors.revoked = await altered(admin, "revoked_at = now()");
	for (const scope of SCOPES) actors[`scope ${scope}`] = as(admin, await server.makeToken(admin.user, "--scope", scope));
	return actors;
}
