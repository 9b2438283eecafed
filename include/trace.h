/*
 * trace.h - evaluation results in the JSON of traces and logs: OTLP (OpenTelemetry GenAI, OpenInference),
 * Langfuse, and the flat shapes of tables of one's own.
 *
 * What a part of a document says is never an error: what cannot be read is skipped and counted, since one bad
 * line must not stop the load of millions. Texts are slices of the document or palloc'd, and live as long as
 * the reader's memory.
 */
#ifndef CLV_TRACE_H
#define CLV_TRACE_H

#include "common.h"

#include "funcapi.h"
#include "nodes/execnodes.h"
#include "utils/jsonb.h"

/* ---- texts and JSON (trace_json.c) ------------------------------------------------------------- */

/* Some bytes of a text, not terminated; data is NULL where there is none. */
typedef struct Slice
{
	const char *data;
	int			len;
} Slice;

static inline bool
slice_equal(Slice a, Slice b)
{
	return a.len == b.len && memcmp(a.data, b.data, a.len) == 0;
}

static inline bool
slice_is(Slice slice, const char *text)
{
	return slice.len == (int) strlen(text) && memcmp(slice.data, text, slice.len) == 0;
}

static inline bool
slice_starts(Slice slice, const char *text)
{
	return slice.len >= (int) strlen(text) && memcmp(slice.data, text, strlen(text)) == 0;
}

/* The document as a value, scalars at its top too. */
extern void json_root(Jsonb *document, JsonbValue *root);

static inline bool
json_is_object(const JsonbValue *value)
{
	return value->type == jbvBinary && JsonContainerIsObject(value->val.binary.data);
}

static inline bool
json_is_array(const JsonbValue *value)
{
	return value->type == jbvBinary && JsonContainerIsArray(value->val.binary.data) &&
		!JsonContainerIsScalar(value->val.binary.data);
}

/*
 * The member of an object, or false where there is none. The name is in lowerCamelCase; its snake_case form is
 * found as well. json_member() takes null for none.
 */
extern bool json_find(const JsonbValue *object, const char *name, JsonbValue *member);
extern bool json_member(const JsonbValue *object, const char *name, JsonbValue *member);

/* The elements of an array one by one, until false. Nothing is to be freed; interrupts are checked. */
extern JsonbIterator *json_elements(const JsonbValue *array);
extern bool json_next_element(JsonbIterator **elements, JsonbValue *element);

/* The members of an object one by one, until false; json_elements() begins them, too. An empty name has no data. */
extern bool json_next_member(JsonbIterator **members, Slice *name, JsonbValue *value);

/* A scalar as text, an array or object as JSON; no text for null and for the empty string. */
extern Slice json_text(const JsonbValue *value);
extern Slice json_member_text(const JsonbValue *object, const char *name);

/* A number, a boolean as 0 or 1, or a string that is a finite number and nothing else; within the range of double. */
extern bool json_number(const JsonbValue *value, double *number);

/* A whole number, also as a string; false beyond 64 bits. */
extern bool json_int64(const JsonbValue *value, int64 *number);

/* true, or what some write for it: 1, "true", "True". */
extern bool json_is_true(const JsonbValue *value);

/* An id of `size` bytes from hexadecimal digits of any case or from base64, padded or not, URL-safe or not. */
extern bool read_id(Slice text, int size, unsigned char *id);

/* The bytes as lower-case hexadecimal digits. */
extern Slice id_text(const unsigned char *id, int size);

/* An ISO 8601 date and time of at most 64 bytes, in UTC unless it has an offset: Z, +hh, +hhmm or +hh:mm. */
extern bool read_timestamp(Slice text, TimestampTz *at);

/* ---- OTLP attributes (trace_json.c) ------------------------------------------------------------ */

/*
 * Replace an AnyValue by what is in it (arrayValue by its array); false where nothing is. kvlistValue and an
 * arrayValue that is malformed stay objects.
 */
extern bool otlp_value(JsonbValue *value);

/* The attributes of a span, event, log record or resource, one by one; their values still are AnyValues. */
extern JsonbIterator *otlp_attributes(const JsonbValue *holder);
extern bool otlp_next_attribute(JsonbIterator **attributes, Slice *key, JsonbValue *value);

/* ---- evaluations (trace_json.c) ---------------------------------------------------------------- */

#define TRACE_ID_SIZE 16
#define SPAN_ID_SIZE 8

/* One result of an evaluator. */
typedef struct Evaluation
{
	Slice		name;
	bool		has_score;
	bool		bad_score;		/* there was one, but no number */
	bool		bad_label;		/* there was one, but no text; or it was so in a list of labels */
	double		score;
	Slice		label;			/* as given */
	Slice	   *labels;			/* what is in it, NULL without a label */
	int			n_labels;
	Slice		explanation;
	Slice		annotator;
	Slice		error;
	Slice		response_id;
	const char *scope;			/* span, trace or session */
	const char *source;			/* event, log, attributes, annotations or evaluations */
	bool		by_parent;		/* the parent of an evaluator may be what is judged: OpenTelemetry only */
	Slice		target_trace;	/* ids as given */
	Slice		target_span;
} Evaluation;

/* Set the score, unless the value is no number. */
extern void set_score(Evaluation *evaluation, const JsonbValue *value);

/*
 * Set label and labels, unless the value is no text; numbers and booleans are taken for one. A string that is a list
 * of strings in brackets, as JSON or Python writes it, or an array holds several; nothing is split at commas.
 */
extern void set_label(Evaluation *evaluation, const JsonbValue *value);

/* ---- readers: set-returning functions over one document (trace_json.c) -------------------------- */

/* What is skipped, as otlp_skipped() names it. */
typedef enum Problem
{
	PROBLEM_DOCUMENT,
	PROBLEM_PART,
	PROBLEM_LIST,
	PROBLEM_ID,
	PROBLEM_TIME,
	PROBLEM_SCORE,
	PROBLEM_LABEL,
	PROBLEM_RESULT,
	N_PROBLEMS
} Problem;

extern const char *const problem_names[N_PROBLEMS];

typedef struct Reader
{
	FunctionCallInfo fcinfo;
	ReturnSetInfo *result;
	MemoryContext caller;
	MemoryContext memory;		/* lives until the end of the document */
	MemoryContext row_memory;	/* emptied whenever the reader likes */
	bool		counting;		/* rows are dropped: only the problems are of interest */
	int64		problems[N_PROBLEMS];
} Reader;

/* Begin a call: the result is materialized, argument 0 is the document, the reader's memory becomes current. */
extern void begin_reader(FunctionCallInfo fcinfo, Reader *reader, JsonbValue *document);

/* End it: warn of what was skipped, if this query has not yet, and free the memory. */
extern void end_reader(Reader *reader, const char *hint);

/*
 * Whether it is a row: it says anything, which is a name, and a score, label, explanation or error. Counts what is
 * skipped of it.
 */
extern bool accept_evaluation(Reader *reader, const Evaluation *evaluation);

/* A row that is filled column by column. */
#define MAX_COLUMNS 32
typedef struct Row
{
	Datum		values[MAX_COLUMNS];
	bool		nulls[MAX_COLUMNS];
	int			n;
} Row;

extern void put_null(Row *row);
extern void put_text(Row *row, Slice text);
extern void put_word(Row *row, const char *text);
extern void put_bool(Row *row, bool value);
extern void put_int64(Row *row, int64 value);
extern void put_timestamp(Row *row, TimestampTz at);

/* The columns name, score, label, labels, explanation. */
extern void put_evaluation(Row *row, const Evaluation *evaluation);
extern void put_row(Reader *reader, Row *row);

/* ---- what attributes say (trace_result.c) ------------------------------------------------------ */

/* The two ids that are looked for, under keys in order of preference. */
typedef enum IdKind
{
	CUSTOMER,
	SESSION,
	N_ID_KINDS
} IdKind;

typedef struct Keys
{
	Slice	   *names;
	int			n;
} Keys;

/* An id found at a place; the value has no data where there is none. */
typedef struct Finding
{
	Slice		value;
	int			rank;			/* of its key */
	bool		ambiguous;		/* other values have the same rank */
} Finding;

/* Add what else was found at the place: the first key wins; its values must agree. */
extern void merge_finding(Finding *finding, Finding other);

/* What the attributes of one place say about it. */
typedef struct Facts
{
	Finding		found[N_ID_KINDS];
	Slice		service;
	Slice		response_id;
	Slice		event_name;
	Slice		target_trace;	/* ids as given of what the span judges */
	Slice		target_span;
	bool		simulated;
	bool		is_evaluator;	/* a span that judges */
	bool		is_operation;	/* a span that does the work that is judged */
	bool		has_result;		/* gen_ai.evaluation.* */
	bool		has_annotations;	/* annotations.* or evaluations.* of OpenInference, in any scope */
} Facts;

extern void read_facts(const Keys *keys, const JsonbValue *holder, Facts *facts);

/* The result in the attributes gen_ai.evaluation.*. */
extern void read_result(const JsonbValue *holder, Evaluation *evaluation);

/* The results in flattened annotations and evaluations, in order of appearance; their number. */
extern int	read_annotations(const JsonbValue *holder, Evaluation **evaluations);

/* ---- spans and what is known of them (trace_index.c) -------------------------------------------- */

/* A table from texts or ids to numbers. The keys are not copied. */
typedef struct KeyTable KeyTable;
extern KeyTable *key_table_create(int size);
extern int	key_table_find(KeyTable *table, Slice key);	/* -1 if there is none */
extern int	key_table_add(KeyTable *table, Slice key, int value);	/* the value that it has now */

/* A span or log record. */
typedef struct TraceNode
{
	JsonbValue	json;
	bool		is_log;
	bool		has_trace;
	bool		has_span;
	bool		has_parent;
	bool		judges_linked;	/* a span whose results are about those that it links to */
	unsigned char id[TRACE_ID_SIZE + SPAN_ID_SIZE];
	unsigned char parent_id[SPAN_ID_SIZE];
	int64		started;		/* nanoseconds since 1970, 0 if unknown, -1 if malformed; of a log record, its time */
	int64		ended;
	Facts		facts;
	const Facts *resource;
	int			span;			/* index of the span: its own, or the log record's; -1 if not in the document */
	int			parent;			/* index of the parent, -1 if not in the document */
	int			nearest[N_ID_KINDS];	/* index of the nearest span with an id, from here upwards, or -1 */
} TraceNode;

/* What is known of a whole trace or session. */
typedef struct Place
{
	Finding		found[N_ID_KINDS];
	bool		simulated;
} Place;

typedef struct TraceIndex
{
	TraceNode  *nodes;
	int			n;
	int			capacity;
	KeyTable   *spans;			/* id -> node */
	KeyTable   *traces;			/* trace id -> place */
	KeyTable   *sessions;		/* session id -> place */
	Place	   *places;
	int			n_places;
} TraceIndex;

/* A new, empty node; its address is valid until the next one. */
extern TraceNode *index_add(TraceIndex *index);

/* When all nodes are in: find parents, traces, sessions and the ancestors that have ids. Linear in the nodes. */
extern void index_complete(TraceIndex *index);

/* The node of a span, NULL if it is not in the document. */
extern const TraceNode *index_span(const TraceIndex *index, const unsigned char *id);
extern const Place *index_trace(const TraceIndex *index, const unsigned char *trace_id);

/* What is known of a span that something refers to: itself, its ancestors, its trace. */
extern Finding index_finding(const TraceIndex *index, const unsigned char *id, IdKind kind);

/* An id and where it was found. */
typedef struct Resolved
{
	Slice		value;
	const char *source;			/* event, span, link, ancestor, trace, session, resource, ambiguous or NULL */
} Resolved;

/*
 * The ids of what an event of a node says; event and link are what was found there, each NULL where there is none.
 * With a link, the rest of the node's own trace tells nothing, nor does the node tell its trace anything: a trace
 * that judges may judge many customers.
 */
extern void index_resolve(const TraceIndex *index, const TraceNode *node, const Finding *event, const Finding *link,
						  Resolved *resolved);

#endif
