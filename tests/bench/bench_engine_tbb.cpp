// bench_engine_tbb.cpp - the same graph as a oneTBB flow graph, which schedules
// and records nothing.
#include <oneapi/tbb/flow_graph.h>

#include <cstdint>
#include <memory>
#include <vector>

extern "C" {
void *tbb_graph_new(uint32_t nodes, const uint32_t *successor_index,
    const uint32_t *successors, const uint32_t *roots, uint32_t root_count);
void tbb_graph_run(void *);
void tbb_graph_free(void *);
}

namespace
{
using namespace oneapi::tbb::flow;
using node = continue_node<continue_msg>;

struct flow {
	graph g;
	broadcast_node<continue_msg> start{g};
	std::vector<std::unique_ptr<node>> nodes;
};
} // namespace

void *
tbb_graph_new(uint32_t nodes, const uint32_t *successor_index,
    const uint32_t *successors, const uint32_t *roots, uint32_t root_count)
{
	auto *f = new flow;

	for (uint32_t i = 0; i < nodes; i++)
		f->nodes.push_back(
		    std::make_unique<node>(f->g, [](const continue_msg &) {}));
	for (uint32_t i = 0; i < root_count; i++)
		make_edge(f->start, *f->nodes[roots[i]]);
	for (uint32_t i = 0; i < nodes; i++)
		for (uint32_t e = successor_index[i];
		     e < successor_index[i + 1]; e++)
			make_edge(*f->nodes[i], *f->nodes[successors[e]]);
	return f;
}

void
tbb_graph_run(void *p)
{
	auto *f = static_cast<flow *>(p);

	f->start.try_put(continue_msg());
	f->g.wait_for_all();
}

void
tbb_graph_free(void *p)
{
	delete static_cast<flow *>(p);
}
