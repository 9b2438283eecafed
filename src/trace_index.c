/*
 * trace_index.c - the spans and log records of a document, and what is known of each of them from elsewhere:
 * its ancestors, its trace, its session.
 *
 * Everything is looked up in hash tables and every span is climbed from once, so that the time is linear in the
 * document, whatever its parents are.
 */
#include "trace.h"

#include "common/hashfn.h"
#include "miscadmin.h"
#include "utils/memutils.h"

/* ---- tables ------------------------------------------------------------------------------------ */

typedef struct KeyEntry
{
	Slice		key;
	uint32		hash;
	int			value;
	char		status;
} KeyEntry;

#define SH_PREFIX keys
#define SH_ELEMENT_TYPE KeyEntry
#define SH_KEY_TYPE Slice
#define SH_KEY key
#define SH_HASH_KEY(table, key) hash_bytes((const unsigned char *) (key).data, (key).len)
#define SH_EQUAL(table, a, b) slice_equal(a, b)
#define SH_STORE_HASH
#define SH_GET_HASH(table, entry) (entry)->hash
#define SH_SCOPE static inline
#define SH_DECLARE
#define SH_DEFINE
#include "lib/simplehash.h"

struct KeyTable
{
	keys_hash  *hash;
};

KeyTable *
key_table_create(int size)
{
	KeyTable   *table = palloc(sizeof(KeyTable));

	table->hash = keys_create(CurrentMemoryContext, Max(size, 16), NULL);
	return table;
}

int
key_table_find(KeyTable *table, Slice key)
{
	KeyEntry   *entry = keys_lookup(table->hash, key);

	return entry == NULL ? -1 : entry->value;
}

int
key_table_add(KeyTable *table, Slice key, int value)
{
	bool		found;
	KeyEntry   *entry = keys_insert(table->hash, key, &found);

	if (!found)
		entry->value = value;
	return entry->value;
}

static Slice
span_key(const unsigned char *id)
{
	return (Slice) {(const char *) id, TRACE_ID_SIZE + SPAN_ID_SIZE};
}

static Slice
trace_key(const unsigned char *id)
{
	return (Slice) {(const char *) id, TRACE_ID_SIZE};
}

/* ---- nodes ------------------------------------------------------------------------------------- */

TraceNode *
index_add(TraceIndex *index)
{
	if (index->n == index->capacity)
	{
		index->capacity = Max(64, 2 * index->capacity);
		index->nodes = index->n == 0
			? MemoryContextAllocHuge(CurrentMemoryContext, index->capacity * sizeof(TraceNode))
			: repalloc_huge(index->nodes, index->capacity * sizeof(TraceNode));
	}
	memset(&index->nodes[index->n], 0, sizeof(TraceNode));
	return &index->nodes[index->n++];
}

const TraceNode *
index_span(const TraceIndex *index, const unsigned char *id)
{
	int			i = key_table_find(index->spans, span_key(id));

	return i < 0 ? NULL : &index->nodes[i];
}

const Place *
index_trace(const TraceIndex *index, const unsigned char *trace_id)
{
	int			i = key_table_find(index->traces, trace_key(trace_id));

	return i < 0 ? NULL : &index->places[i];
}

/* A span that is there several times is one span: what any copy says of its ids, all of them say. */
static void
merge_copies(TraceIndex *index)
{
	for (int i = 0; i < index->n; i++)
	{
		TraceNode  *node = &index->nodes[i];

		CHECK_FOR_INTERRUPTS();
		if (node->is_log)
			continue;
		node->span = key_table_add(index->spans, span_key(node->id), i);
		if (node->span != i)
			for (IdKind kind = 0; kind < N_ID_KINDS; kind++)
				merge_finding(&index->nodes[node->span].facts.found[kind], node->facts.found[kind]);
	}
	for (int i = 0; i < index->n; i++)
	{
		TraceNode  *node = &index->nodes[i];

		if (!node->is_log && node->span != i)
			memcpy(node->facts.found, index->nodes[node->span].facts.found, sizeof(node->facts.found));
	}
}

static void
find_spans(TraceIndex *index)
{
	index->spans = key_table_create(index->n);
	merge_copies(index);
	for (int i = 0; i < index->n; i++)
	{
		TraceNode  *node = &index->nodes[i];
		unsigned char id[TRACE_ID_SIZE + SPAN_ID_SIZE];

		CHECK_FOR_INTERRUPTS();
		node->span = !node->is_log ? i
			: node->has_trace && node->has_span ? key_table_find(index->spans, span_key(node->id)) : -1;
		memcpy(id, node->id, TRACE_ID_SIZE);
		memcpy(id + TRACE_ID_SIZE, node->parent_id, SPAN_ID_SIZE);
		node->parent = node->has_parent ? key_table_find(index->spans, span_key(id)) : -1;
	}
}

/*
 * For every span the nearest one with an id, from itself upwards. What was found for a span is found for all that
 * were passed on the way to it; a way that comes back to itself ends there.
 */
#define NOT_VISITED (-2)
#define ON_THE_WAY (-3)

static void
find_nearest(TraceIndex *index, IdKind kind)
{
	int		   *way = MemoryContextAllocHuge(CurrentMemoryContext, Max(index->n, 1) * sizeof(int));

	for (int i = 0; i < index->n; i++)
		index->nodes[i].nearest[kind] = NOT_VISITED;
	for (int i = 0; i < index->n; i++)
	{
		int			n = 0;
		int			at = i;
		int			nearest;

		CHECK_FOR_INTERRUPTS();
		while (at >= 0 && index->nodes[at].nearest[kind] == NOT_VISITED)
		{
			TraceNode  *node = &index->nodes[at];

			way[n++] = at;
			if (node->facts.found[kind].value.data != NULL)
				node->nearest[kind] = at;
			else
			{
				node->nearest[kind] = ON_THE_WAY;
				at = node->parent;
			}
		}
		nearest = at < 0 ? -1 : index->nodes[at].nearest[kind];
		if (nearest == ON_THE_WAY)
			nearest = -1;
		while (n > 0)
			index->nodes[way[--n]].nearest[kind] = nearest;
	}
	pfree(way);
}

/* ---- places ------------------------------------------------------------------------------------ */

/* The place of a trace or session, new if need be. There are at most two to a node. */
static Place *
add_place(TraceIndex *index, KeyTable *table, Slice key)
{
	int			i = key_table_add(table, key, index->n_places);

	if (i == index->n_places)
		index->n_places++;
	return &index->places[i];
}

static void
find_traces(TraceIndex *index)
{
	index->traces = key_table_create(index->n);
	for (int i = 0; i < index->n; i++)
	{
		const TraceNode *node = &index->nodes[i];
		Place	   *place;

		CHECK_FOR_INTERRUPTS();
		if (!node->has_trace)
			continue;
		place = add_place(index, index->traces, trace_key(node->id));
		place->simulated |= node->facts.simulated;
		if (node->judges_linked)
			continue;
		for (IdKind kind = 0; kind < N_ID_KINDS; kind++)
			merge_finding(&place->found[kind], node->facts.found[kind]);
	}
}

/* Customers of sessions: each span or log record that has a customer adds him to its session. */
static void
find_sessions(TraceIndex *index)
{
	static const Finding nothing[N_ID_KINDS];

	index->sessions = key_table_create(64);
	for (int i = 0; i < index->n; i++)
	{
		const TraceNode *node = &index->nodes[i];
		Resolved	resolved[N_ID_KINDS];

		CHECK_FOR_INTERRUPTS();
		if (node->facts.found[CUSTOMER].value.data == NULL)
			continue;
		index_resolve(index, node, node->is_log ? node->facts.found : NULL, node->judges_linked ? nothing : NULL,
					  resolved);
		if (resolved[SESSION].value.data != NULL)
			merge_finding(&add_place(index, index->sessions, resolved[SESSION].value)->found[CUSTOMER],
						  node->facts.found[CUSTOMER]);
	}
}

void
index_complete(TraceIndex *index)
{
	index->places = MemoryContextAllocExtended(CurrentMemoryContext, (2 * (Size) index->n + 1) * sizeof(Place),
											   MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO);
	find_spans(index);
	for (IdKind kind = 0; kind < N_ID_KINDS; kind++)
		find_nearest(index, kind);
	find_traces(index);
	find_sessions(index);
}

/* ---- ids --------------------------------------------------------------------------------------- */

Finding
index_finding(const TraceIndex *index, const unsigned char *id, IdKind kind)
{
	const TraceNode *node = index_span(index, id);
	const Place *trace = index_trace(index, id);

	if (node != NULL && node->nearest[kind] >= 0)
		return index->nodes[node->nearest[kind]].facts.found[kind];
	return trace != NULL ? trace->found[kind] : (Finding) {.value = {NULL, 0}};
}

/* Whether there is an answer: what was found, or that it is ambiguous. */
static bool
take(Resolved *resolved, const Finding *finding, const char *source)
{
	if (finding == NULL || finding->value.data == NULL)
		return false;
	if (finding->ambiguous)
		*resolved = (Resolved) {.source = "ambiguous"};
	else
		*resolved = (Resolved) {.value = finding->value, .source = source};
	return true;
}

/* The first place that knows the id, from the nearest to the widest. */
static Resolved
resolve(const TraceIndex *index, const TraceNode *node, IdKind kind, const Finding *event, const Finding *link,
		const Place *session)
{
	Resolved	resolved = {.source = NULL};
	const TraceNode *span = node->span < 0 ? NULL : &index->nodes[node->span];
	int			ancestor = span == NULL || span->parent < 0 ? -1 : index->nodes[span->parent].nearest[kind];
	const Place *trace = node->has_trace && link == NULL ? index_trace(index, node->id) : NULL;

	(void) (take(&resolved, event == NULL ? NULL : &event[kind], "event") ||
			take(&resolved, span == NULL ? NULL : &span->facts.found[kind], "span") ||
			take(&resolved, link == NULL ? NULL : &link[kind], "link") ||
			take(&resolved, ancestor < 0 ? NULL : &index->nodes[ancestor].facts.found[kind], "ancestor") ||
			take(&resolved, trace == NULL ? NULL : &trace->found[kind], "trace") ||
			take(&resolved, session == NULL ? NULL : &session->found[kind], "session") ||
			take(&resolved, &node->resource->found[kind], "resource"));
	return resolved;
}

void
index_resolve(const TraceIndex *index, const TraceNode *node, const Finding *event, const Finding *link,
			  Resolved *resolved)
{
	const Place *session = NULL;

	resolved[SESSION] = resolve(index, node, SESSION, event, link, NULL);
	if (resolved[SESSION].value.data != NULL)
	{
		int			i = key_table_find(index->sessions, resolved[SESSION].value);

		session = i < 0 ? NULL : &index->places[i];
	}
	resolved[CUSTOMER] = resolve(index, node, CUSTOMER, event, link, session);
}
