/*
 * trace_otlp.c - otlp_evaluations() and otlp_spans(): from a document of traces or logs to rows.
 *
 * Two passes: one collects the spans and log records, so that ancestors, traces and sessions can be told (see
 * trace_index.c), one writes the rows.
 */
#include "trace.h"

#include "catalog/pg_type.h"
#include "miscadmin.h"
#include "utils/array.h"
#include "utils/memutils.h"

#define RESULT_EVENT "gen_ai.evaluation.result"
#define NANOS_PER_USEC 1000
#define BAD_TIME (-1)

typedef struct Walk
{
	Reader		reader;
	Keys		keys[N_ID_KINDS];
	TraceIndex	index;
	struct Links **links;		/* of the spans, as far as they were asked for */
} Walk;

/* ---- first pass: spans and log records ---------------------------------------------------------- */

/* An id, if there is one: all zeros are none, and what is not an id is counted. */
static bool
given_id(Walk *walk, Slice text, int size, unsigned char *id)
{
	static const unsigned char zeros[TRACE_ID_SIZE];

	if (text.data == NULL)
		return false;
	if (read_id(text, size, id))
		return memcmp(id, zeros, size) != 0;
	walk->reader.problems[PROBLEM_ID]++;
	return false;
}

static bool
member_id(Walk *walk, const JsonbValue *object, const char *name, int size, unsigned char *id)
{
	return given_id(walk, json_member_text(object, name), size, id);
}

/* Nanoseconds since 1970; 0 if unknown, BAD_TIME if malformed, so that no other time is taken in its place. */
static int64
member_time(Walk *walk, const JsonbValue *object, const char *name)
{
	JsonbValue	member;
	int64		nanos;

	if (!json_member(object, name, &member))
		return 0;
	if (json_int64(&member, &nanos) && nanos >= 0)
		return nanos;
	walk->reader.problems[PROBLEM_TIME]++;
	return BAD_TIME;
}

/* A list that is a member, if there is one; what is there and is no list is counted. */
static bool
member_list(Walk *walk, const JsonbValue *object, const char *name, JsonbValue *list)
{
	if (!json_member(object, name, list))
		return false;
	if (json_is_array(list))
		return true;
	walk->reader.problems[PROBLEM_LIST]++;
	return false;
}

static void
member_facts(Walk *walk, const JsonbValue *holder, Facts *facts)
{
	JsonbValue	ignored;

	member_list(walk, holder, "attributes", &ignored);
	read_facts(walk->keys, holder, facts);
}

/*
 * Links of a span that does the work say what caused it; those of one that judges, or of which nothing is known,
 * what it judges.
 */
static inline bool
links_are_targets(const Facts *facts)
{
	return facts->is_evaluator || !facts->is_operation;
}

static bool
judges_linked(const JsonbValue *span, const Facts *facts)
{
	JsonbValue	links;

	return links_are_targets(facts) && (facts->is_evaluator || facts->has_result || facts->has_annotations) &&
		json_member(span, "links", &links) && json_is_array(&links) && JsonContainerSize(links.val.binary.data) > 0;
}

static void
collect_span(Walk *walk, const JsonbValue *span, const Facts *resource)
{
	TraceNode	node = {.json = *span, .resource = resource, .has_trace = true, .has_span = true};
	int64		ids_before = walk->reader.problems[PROBLEM_ID];

	if (!member_id(walk, span, "traceId", TRACE_ID_SIZE, node.id) ||
		!member_id(walk, span, "spanId", SPAN_ID_SIZE, node.id + TRACE_ID_SIZE))
	{
		if (walk->reader.problems[PROBLEM_ID] == ids_before)
			walk->reader.problems[PROBLEM_ID]++;
		return;
	}
	node.has_parent = member_id(walk, span, "parentSpanId", SPAN_ID_SIZE, node.parent_id);
	node.started = member_time(walk, span, "startTimeUnixNano");
	node.ended = member_time(walk, span, "endTimeUnixNano");
	member_facts(walk, span, &node.facts);
	node.facts.simulated |= resource->simulated;
	node.facts.is_evaluator |= slice_is(json_member_text(span, "name"), RESULT_EVENT);
	node.judges_linked = judges_linked(span, &node.facts);
	*index_add(&walk->index) = node;
}

static void
collect_log_record(Walk *walk, const JsonbValue *record, const Facts *resource)
{
	TraceNode	node = {.json = *record, .resource = resource, .is_log = true};

	node.has_trace = member_id(walk, record, "traceId", TRACE_ID_SIZE, node.id);
	node.has_span = member_id(walk, record, "spanId", SPAN_ID_SIZE, node.id + TRACE_ID_SIZE);
	node.started = member_time(walk, record, "timeUnixNano");
	if (node.started == 0)
		node.started = member_time(walk, record, "observedTimeUnixNano");
	member_facts(walk, record, &node.facts);
	node.facts.simulated |= resource->simulated;
	*index_add(&walk->index) = node;
}

/* The levels of a document, from the outside: each is a list of objects under a name. */
typedef struct Level
{
	const char *name;
	const char *former_name;	/* before OTLP 1.0; NULL if it was the same */
	const struct Level *inner;
	void		(*collect) (Walk *walk, const JsonbValue *object, const Facts *resource);
} Level;

static const Level spans = {.name = "spans", .collect = collect_span};
static const Level scope_spans = {
	.name = "scopeSpans", .former_name = "instrumentationLibrarySpans", .inner = &spans
};
static const Level resource_spans = {.name = "resourceSpans", .inner = &scope_spans};
static const Level log_records = {.name = "logRecords", .former_name = "logs", .collect = collect_log_record};
static const Level scope_logs = {
	.name = "scopeLogs", .former_name = "instrumentationLibraryLogs", .inner = &log_records
};
static const Level resource_logs = {.name = "resourceLogs", .inner = &scope_logs};

/* Go through a level of an object, if it has it; answers whether it has. There are three levels. */
static bool
walk_level(Walk *walk, const JsonbValue *object, const Level *level, const Facts *resource)
{
	JsonbValue	list;
	JsonbValue	element;
	JsonbIterator *elements;
	const char *name = level->name;

	if (!json_member(object, name, &list))
	{
		name = level->former_name;
		if (name == NULL || !json_member(object, name, &list))
			return false;
	}
	if (!member_list(walk, object, name, &list))
		return true;
	elements = json_elements(&list);
	while (json_next_element(&elements, &element))
	{
		const Facts *facts = resource;

		if (!json_is_object(&element))
		{
			walk->reader.problems[PROBLEM_PART]++;
			continue;
		}
		if (facts == NULL)
		{
			JsonbValue	holder;
			Facts	   *own = palloc0(sizeof(Facts));

			if (json_member(&element, "resource", &holder))
				member_facts(walk, &holder, own);
			facts = own;
		}
		if (level->collect != NULL)
			level->collect(walk, &element, facts);
		else
			walk_level(walk, &element, level->inner, facts);
	}
	return true;
}

/* Documents of metrics and empty exports are what they should be, and have nothing for us. */
static void
walk_document(Walk *walk, const JsonbValue *document)
{
	JsonbValue	ignored;
	bool		has_spans = json_is_object(document) && walk_level(walk, document, &resource_spans, NULL);
	bool		has_logs = json_is_object(document) && walk_level(walk, document, &resource_logs, NULL);

	if (!has_spans && !has_logs && !json_member(document, "resourceMetrics", &ignored) &&
		!(json_is_object(document) && JsonContainerSize(document->val.binary.data) == 0))
		walk->reader.problems[PROBLEM_DOCUMENT]++;
}

static Keys
read_keys(ArrayType *array, const char *argument)
{
	Keys		keys;
	Datum	   *names;
	bool	   *nulls;

	deconstruct_array(array, TEXTOID, -1, false, TYPALIGN_INT, &names, &nulls, &keys.n);
	keys.names = palloc(Max(keys.n, 1) * sizeof(Slice));
	for (int i = 0; i < keys.n; i++)
	{
		if (nulls[i])
			argument_error(psprintf("%s must not contain NULL", argument),
						   "Give the keys of attributes, the preferred one first.", "Element %d is NULL.", i + 1);
		keys.names[i].data = VARDATA_ANY(DatumGetPointer(names[i]));
		keys.names[i].len = VARSIZE_ANY_EXHDR(DatumGetPointer(names[i]));
	}
	return keys;
}

static void
begin_walk(FunctionCallInfo fcinfo, Walk *walk)
{
	JsonbValue	document;
	JsonbValue	element;
	JsonbIterator *elements;

	memset(walk, 0, sizeof(*walk));
	begin_reader(fcinfo, &walk->reader, &document);
	if (PG_NARGS() > 1)
	{
		walk->keys[CUSTOMER] = read_keys(PG_GETARG_ARRAYTYPE_P(1), "customer_keys");
		walk->keys[SESSION] = read_keys(PG_GETARG_ARRAYTYPE_P(2), "session_keys");
	}
	if (json_is_array(&document))
	{
		elements = json_elements(&document);
		while (json_next_element(&elements, &element))
			walk_document(walk, &element);
	}
	else
		walk_document(walk, &document);
	index_complete(&walk->index);
	walk->links = MemoryContextAllocExtended(CurrentMemoryContext, ((Size) walk->index.n + 1) * sizeof(struct Links *),
											 MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO);
}

/* ---- second pass: what is judged ---------------------------------------------------------------- */

/* What a span refers to by its links. */
typedef struct Links
{
	int			n;				/* of different spans: 0, 1, or 2 for more */
	unsigned char id[TRACE_ID_SIZE + SPAN_ID_SIZE];	/* of the first */
	Finding		found[N_ID_KINDS];	/* ids that are known of them */
} Links;

static void
read_links(Walk *walk, const TraceNode *span, Links *links)
{
	JsonbValue	list;
	JsonbValue	link;
	JsonbIterator *elements;

	if (!links_are_targets(&span->facts) || !member_list(walk, &span->json, "links", &list))
		return;
	elements = json_elements(&list);
	while (json_next_element(&elements, &link))
	{
		unsigned char id[TRACE_ID_SIZE + SPAN_ID_SIZE];

		if (!member_id(walk, &link, "traceId", TRACE_ID_SIZE, id) ||
			!member_id(walk, &link, "spanId", SPAN_ID_SIZE, id + TRACE_ID_SIZE))
			continue;
		if (links->n == 0)
			memcpy(links->id, id, sizeof(id));
		if (links->n == 0 || memcmp(links->id, id, sizeof(id)) != 0)
			links->n = Min(links->n + 1, 2);
		for (IdKind kind = 0; kind < N_ID_KINDS; kind++)
			merge_finding(&links->found[kind], index_finding(&walk->index, id, kind));
	}
}

/* The links of a node's span, read once. */
static const Links *
links_of(Walk *walk, const TraceNode *node)
{
	static const Links none;
	Links	  **links;

	if (node->span < 0)
		return &none;
	links = &walk->links[node->span];
	if (*links == NULL)
	{
		*links = MemoryContextAllocZero(walk->reader.memory, sizeof(Links));
		read_links(walk, &walk->index.nodes[node->span], *links);
	}
	return *links;
}

/* The span or log record that results are in. */
typedef struct Carrier
{
	const TraceNode *node;
	const TraceNode *span;			/* NULL if not in the document */
	const Links *links;
} Carrier;

static Carrier
read_carrier(Walk *walk, const TraceNode *node)
{
	return (Carrier) {
		.node = node, .span = node->span < 0 ? NULL : &walk->index.nodes[node->span], .links = links_of(walk, node)
	};
}

/* The span that a result is about. */
typedef struct Target
{
	bool		has_trace;
	bool		has_span;
	unsigned char id[TRACE_ID_SIZE + SPAN_ID_SIZE];
	const char *by;				/* attribute, link, parent, span, ambiguous, or NULL */
} Target;

/* By an attribute of the result or the span; the trace is the one that it names, the link's or the carrier's own. */
static bool
target_by_attribute(Walk *walk, const Carrier *carrier, const Evaluation *evaluation, Target *target)
{
	unsigned char *span = target->id + TRACE_ID_SIZE;
	const Facts *facts = carrier->span == NULL ? &carrier->node->facts : &carrier->span->facts;
	bool		is_own = evaluation->target_span.data != NULL;
	Slice		span_id = is_own ? evaluation->target_span : facts->target_span;
	Slice		trace_id = is_own ? evaluation->target_trace : facts->target_trace;
	bool		has_span = given_id(walk, span_id, SPAN_ID_SIZE, span);
	bool		has_trace = given_id(walk, trace_id, TRACE_ID_SIZE, target->id);

	if (!has_span)
		return false;
	if (has_trace)
		return true;
	if (carrier->links->n == 1 && memcmp(carrier->links->id + TRACE_ID_SIZE, span, SPAN_ID_SIZE) == 0)
		memcpy(target->id, carrier->links->id, TRACE_ID_SIZE);
	else
	{
		target->has_trace = carrier->node->has_trace;
		memcpy(target->id, carrier->node->id, TRACE_ID_SIZE);
	}
	return true;
}

static Target
find_target(Walk *walk, const Carrier *carrier, const Evaluation *evaluation)
{
	Target		target = {.has_trace = true, .has_span = true};
	const TraceNode *span = carrier->span;

	if (target_by_attribute(walk, carrier, evaluation, &target))
	{
		target.by = "attribute";
		return target;
	}
	if (carrier->links->n > 1)
		return (Target) {.by = "ambiguous"};
	if (carrier->links->n == 1)
	{
		memcpy(target.id, carrier->links->id, sizeof(target.id));
		target.by = "link";
		return target;
	}
	memcpy(target.id, carrier->node->id, sizeof(target.id));
	if (span != NULL && span->facts.is_evaluator && span->has_parent && evaluation->by_parent)
	{
		memcpy(target.id + TRACE_ID_SIZE, span->parent_id, SPAN_ID_SIZE);
		target.by = "parent";
		return target;
	}
	target.has_trace = carrier->node->has_trace;
	target.has_span = carrier->node->has_span;
	target.by = target.has_span ? "span" : NULL;
	return target;
}

/* ---- second pass: rows -------------------------------------------------------------------------- */

static void
put_id(Row *row, bool present, const unsigned char *id, int size)
{
	if (present)
		put_text(row, id_text(id, size));
	else
		put_null(row);
}

static void
put_nanos(Row *row, int64 nanos)
{
	if (nanos <= 0)
		put_null(row);
	else
		put_timestamp(row, nanos / NANOS_PER_USEC -
					  (int64) (POSTGRES_EPOCH_JDATE - UNIX_EPOCH_JDATE) * USECS_PER_DAY);
}

static void
put_resolved(Row *row, Resolved resolved)
{
	put_text(row, resolved.value);
	put_word(row, resolved.source);
}

/* Whether anything says that the traffic is simulated: the result, its span, or the trace that it is about. */
static bool
is_simulated(const Walk *walk, const Carrier *carrier, const Target *target, const Facts *event)
{
	const TraceNode *node = carrier->node;
	const Place *trace = target->has_trace ? index_trace(&walk->index, target->id) : NULL;

	return event->simulated || node->facts.simulated || (carrier->span != NULL && carrier->span->facts.simulated) ||
		(trace != NULL && trace->simulated);
}

static const char *
scope_of(const Evaluation *evaluation, const Target *target, const Resolved *resolved)
{
	if (strcmp(evaluation->scope, "span") != 0 || target->by != NULL)
		return evaluation->scope;
	return target->has_trace ? "trace" : resolved[SESSION].value.data != NULL ? "session" : NULL;
}

/* The ids of a result: what its target tells goes by the name of link, also where an attribute names the target. */
static void
resolve_result(const Walk *walk, const Carrier *carrier, const Target *target, const Facts *event, Resolved *resolved)
{
	Finding		named[N_ID_KINDS];
	const Finding *link = carrier->links->n == 0 ? NULL : carrier->links->found;

	if (target->by != NULL && strcmp(target->by, "attribute") == 0 && target->has_trace)
	{
		for (IdKind kind = 0; kind < N_ID_KINDS; kind++)
			named[kind] = index_finding(&walk->index, target->id, kind);
		link = named;
	}
	index_resolve(&walk->index, carrier->node, event->found, link, resolved);
}

/* One row of otlp_evaluations(); event is what the event's or log record's own attributes say. */
static void
put_result(Walk *walk, const Carrier *carrier, const Evaluation *evaluation, const Facts *event, int64 nanos)
{
	const TraceNode *node = carrier->node;
	Target		target;
	Resolved	resolved[N_ID_KINDS];
	const TraceNode *judged;
	Row			row = {.n = 0};

	if (!accept_evaluation(&walk->reader, evaluation))
		return;
	target = find_target(walk, carrier, evaluation);
	resolve_result(walk, carrier, &target, event, resolved);
	judged = target.has_trace && target.has_span ? index_span(&walk->index, target.id) : NULL;

	put_id(&row, node->has_trace, node->id, TRACE_ID_SIZE);
	put_id(&row, node->has_span, node->id + TRACE_ID_SIZE, SPAN_ID_SIZE);
	if (carrier->span != NULL)
		put_id(&row, carrier->span->has_parent, carrier->span->parent_id, SPAN_ID_SIZE);
	else
		put_null(&row);
	put_id(&row, target.has_trace, target.id, TRACE_ID_SIZE);
	put_id(&row, target.has_span, target.id + TRACE_ID_SIZE, SPAN_ID_SIZE);
	put_word(&row, target.by);
	put_resolved(&row, resolved[SESSION]);
	put_resolved(&row, resolved[CUSTOMER]);
	put_evaluation(&row, evaluation);
	put_text(&row, evaluation->annotator);
	put_text(&row, evaluation->error);
	put_word(&row, scope_of(evaluation, &target, resolved));
	put_nanos(&row, nanos);
	if (nanos <= 0)
		put_null(&row);
	else
		put_int64(&row, nanos);
	put_nanos(&row, carrier->span == NULL ? 0 : carrier->span->started);
	put_nanos(&row, carrier->span == NULL ? 0 : carrier->span->ended);
	put_text(&row, node->resource->service);
	put_bool(&row, is_simulated(walk, carrier, &target, event));
	put_word(&row, evaluation->source);
	put_text(&row, evaluation->response_id.data != NULL || judged == NULL ? evaluation->response_id
			 : judged->facts.response_id);
	put_row(&walk->reader, &row);
}

/* When a span was judged: where nothing else is said, at its end. */
static int64
span_time(const TraceNode *span)
{
	return span->ended != 0 ? span->ended : span->started;
}

static void
put_span_results(Walk *walk, const Carrier *carrier)
{
	static const Facts no_event;
	const TraceNode *span = carrier->node;
	Evaluation	evaluation;
	Evaluation *annotations;
	int			n;

	if (span->facts.has_result)
	{
		read_result(&span->json, &evaluation);
		evaluation.source = "attributes";
		put_result(walk, carrier, &evaluation, &no_event, span_time(span));
	}
	if (!span->facts.has_annotations)
		return;
	n = read_annotations(&span->json, &annotations);
	for (int i = 0; i < n; i++)
		put_result(walk, carrier, &annotations[i], &no_event, span_time(span));
}

static void
put_event_results(Walk *walk, const Carrier *carrier, const JsonbValue *events)
{
	JsonbIterator *elements = json_elements(events);
	JsonbValue	event;

	while (json_next_element(&elements, &event))
	{
		MemoryContext memory;
		Evaluation	evaluation;
		Facts		facts;
		int64		nanos;

		if (!json_is_object(&event))
			walk->reader.problems[PROBLEM_PART]++;
		if (!slice_is(json_member_text(&event, "name"), RESULT_EVENT))
			continue;
		memory = MemoryContextSwitchTo(walk->reader.row_memory);
		member_facts(walk, &event, &facts);
		read_result(&event, &evaluation);
		evaluation.source = "event";
		nanos = member_time(walk, &event, "timeUnixNano");
		put_result(walk, carrier, &evaluation, &facts, nanos != 0 ? nanos : span_time(carrier->span));
		MemoryContextSwitchTo(memory);
		MemoryContextReset(walk->reader.row_memory);
	}
}

static void
put_log_result(Walk *walk, const Carrier *carrier)
{
	const TraceNode *record = carrier->node;
	Evaluation	evaluation;

	if (!slice_is(json_member_text(&record->json, "eventName"), RESULT_EVENT) &&
		!slice_is(record->facts.event_name, RESULT_EVENT))
		return;
	read_result(&record->json, &evaluation);
	evaluation.source = "log";
	put_result(walk, carrier, &evaluation, &record->facts, record->started);
}

static void
put_results(Walk *walk)
{
	for (int i = 0; i < walk->index.n; i++)
	{
		const TraceNode *node = &walk->index.nodes[i];
		JsonbValue	events;
		bool		has_events = !node->is_log && member_list(walk, &node->json, "events", &events);
		Carrier		carrier;

		CHECK_FOR_INTERRUPTS();
		if (!node->is_log && !has_events && !node->facts.has_result && !node->facts.has_annotations)
			continue;
		carrier = read_carrier(walk, node);
		if (has_events)
			put_event_results(walk, &carrier, &events);
		MemoryContextSwitchTo(walk->reader.row_memory);
		if (node->is_log)
			put_log_result(walk, &carrier);
		else
			put_span_results(walk, &carrier);
		MemoryContextSwitchTo(walk->reader.memory);
		MemoryContextReset(walk->reader.row_memory);
	}
}

static void
put_span(Walk *walk, const TraceNode *span)
{
	Resolved	resolved[N_ID_KINDS];
	Row			row = {.n = 0};

	index_resolve(&walk->index, span, NULL, span->judges_linked ? links_of(walk, span)->found : NULL, resolved);
	put_id(&row, true, span->id, TRACE_ID_SIZE);
	put_id(&row, true, span->id + TRACE_ID_SIZE, SPAN_ID_SIZE);
	put_id(&row, span->has_parent, span->parent_id, SPAN_ID_SIZE);
	put_text(&row, json_member_text(&span->json, "name"));
	put_resolved(&row, resolved[SESSION]);
	put_resolved(&row, resolved[CUSTOMER]);
	put_nanos(&row, span->started);
	put_nanos(&row, span->ended);
	put_text(&row, span->resource->service);
	put_row(&walk->reader, &row);
}

/* ---- SQL ---------------------------------------------------------------------------------------- */

#define HINT "otlp_skipped() counts what is skipped in each document."

PG_FUNCTION_INFO_V1(clv_trace_otlp_evaluations);
Datum
clv_trace_otlp_evaluations(PG_FUNCTION_ARGS)
{
	Walk		walk;

	begin_walk(fcinfo, &walk);
	put_results(&walk);
	end_reader(&walk.reader, HINT);
	return (Datum) 0;
}

PG_FUNCTION_INFO_V1(clv_trace_otlp_spans);
Datum
clv_trace_otlp_spans(PG_FUNCTION_ARGS)
{
	Walk		walk;

	begin_walk(fcinfo, &walk);
	for (int i = 0; i < walk.index.n; i++)
	{
		CHECK_FOR_INTERRUPTS();
		if (walk.index.nodes[i].is_log)
			continue;
		MemoryContextSwitchTo(walk.reader.row_memory);
		put_span(&walk, &walk.index.nodes[i]);
		MemoryContextSwitchTo(walk.reader.memory);
		MemoryContextReset(walk.reader.row_memory);
	}
	end_reader(&walk.reader, HINT);
	return (Datum) 0;
}

/* What otlp_evaluations() skips: its rows are dropped in favour of the counts, which then need no warning. */
PG_FUNCTION_INFO_V1(clv_trace_otlp_skipped);
Datum
clv_trace_otlp_skipped(PG_FUNCTION_ARGS)
{
	Walk		walk;

	begin_walk(fcinfo, &walk);
	walk.reader.counting = true;
	put_results(&walk);
	walk.reader.counting = false;
	for (int i = 0; i < N_PROBLEMS; i++)
	{
		Row			row = {.n = 0};

		if (walk.reader.problems[i] == 0)
			continue;
		put_word(&row, problem_names[i]);
		put_int64(&row, walk.reader.problems[i]);
		put_row(&walk.reader, &row);
		walk.reader.problems[i] = 0;
	}
	end_reader(&walk.reader, HINT);
	return (Datum) 0;
}
