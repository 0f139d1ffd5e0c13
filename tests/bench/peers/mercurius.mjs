// mercurius.mjs - Mercurius as its guides advise: compiled queries (jit), batching loaders for relations, statements
// that are prepared once. It asks nobody for a credential and has no policies.
import Fastify from 'fastify';
import mercurius from 'mercurius';
import pg from 'pg';

const schema = `
	scalar DateTime
	type User { id: ID! name: String! email: String! }
	type DAGVersion { id: ID! number: Int! }
	type Execution { id: ID! status: String! insertedAt: DateTime! totalNodes: Int! succeededNodes: Int! }
	type DAG {
		id: ID! name: String! description: String! status: String! version: Int! insertedAt: DateTime!
		creator: User
		activeVersion: DAGVersion
		executions(first: Int): [Execution!]!
	}
	type Query { dag(id: ID!): DAG dags(limit: Int): [DAG!]! }
`;

const dag = `select id, name, description, status, version, inserted_at as "insertedAt", created_by, active_version_id from open.dags`;

export async function start({ port, database, connections }) {
	const pool = new pg.Pool({ ...database, max: connections });
	const rows = async (name, text, values) => (await pool.query({ name, text, values })).rows;
	const byId = async (name, text, ids) => {
		const found = new Map((await rows(name, text, [ids])).map((row) => [row.id, row]));
		return ids.map((id) => found.get(id) ?? null);
	};
	const resolvers = {
		Query: {
			dag: async (_, { id }) => (await rows('dag', `${dag} where id = $1 and deleted_at is null`, [id]))[0] ?? null,
			dags: (_, { limit }) => rows('dags', `${dag} where organization_id = (select id from open.organizations where slug = 'bench') and deleted_at is null order by inserted_at desc, id desc limit $1`, [limit]),
		},
	};
	const loaders = {
		DAG: {
			creator: (all) => byId('creators', 'select id, name, email from open.users where id = any($1)', all.map((q) => q.obj.created_by)),
			activeVersion: (all) => byId('versions', 'select id, number from open.dag_versions where id = any($1)', all.map((q) => q.obj.active_version_id)),
			executions: async (all) => {
				const found = new Map(all.map((q) => [q.obj.id, []]));
				const got = await rows('executions', `select e.* from unnest($1::uuid[]) d (id) cross join lateral
					(select id, dag_id, status, inserted_at as "insertedAt", total_nodes as "totalNodes", succeeded_nodes as "succeededNodes"
					from open.executions where dag_id = d.id order by inserted_at desc, id desc limit $2) e`, [[...found.keys()], all[0].params.first]);
				for (const row of got) found.get(row.dag_id).push(row);
				return all.map((q) => found.get(q.obj.id));
			},
		},
	};
	const app = Fastify();
	await app.register(mercurius, { schema, resolvers, loaders, jit: 1 });
	await app.listen({ port, host: '127.0.0.1' });
}
