/*
 * trace_result.c - what the attributes of spans, events and log records say: the semantic conventions.
 *
 * Sources: OpenTelemetry semantic conventions for generative AI (event gen_ai.evaluation.result, attributes
 * gen_ai.evaluation.*, gen_ai.response.id, error.type, user_agent.synthetic.type); OpenInference specification,
 * "Annotations and Evaluations"; gen_ai.evaluation.target_span_id, gen_ai.span.kind and gen_ai.simulator.* as
 * instrumentation libraries of voice agents write them.
 */
#include "trace.h"

void
merge_finding(Finding *finding, Finding other)
{
	if (other.value.data == NULL)
		return;
	if (finding->value.data == NULL || other.rank < finding->rank)
		*finding = other;
	else if (other.rank == finding->rank)
		finding->ambiguous |= other.ambiguous || !slice_equal(finding->value, other.value);
}

/* An attribute's text; of a list, its JSON. */
static Slice
any_text_of(JsonbValue value)
{
	return otlp_value(&value) ? json_text(&value) : (Slice) {NULL, 0};
}

/* An attribute's text, if it is no list. */
static Slice
text_of(JsonbValue value)
{
	return otlp_value(&value) && value.type != jbvBinary ? json_text(&value) : (Slice) {NULL, 0};
}

/* ---- facts ------------------------------------------------------------------------------------- */

static void
read_ids(const Keys *keys, Slice key, const JsonbValue *value, Facts *facts)
{
	for (IdKind kind = 0; kind < N_ID_KINDS; kind++)
		for (int rank = 0; rank < keys[kind].n; rank++)
			if (slice_equal(key, keys[kind].names[rank]))
				merge_finding(&facts->found[kind], (Finding) {.value = text_of(*value), .rank = rank});
}

/* The part of an OpenInference key behind its scope, which is set; the key as it is where it has none. */
static Slice
skip_scope(Slice key, const char **scope)
{
	static const char *const scopes[] = {"trace", "session"};

	*scope = "span";
	for (int i = 0; i < lengthof(scopes); i++)
	{
		int			length = (int) strlen(scopes[i]);

		if (slice_starts(key, scopes[i]) && key.len > length && key.data[length] == '.')
		{
			*scope = scopes[i];
			return (Slice) {key.data + length + 1, key.len - length - 1};
		}
	}
	return key;
}

static bool
is_annotation(Slice key)
{
	const char *scope;

	key = skip_scope(key, &scope);
	return slice_starts(key, "annotations.") || slice_starts(key, "evaluations.");
}

/* Traffic is simulated if a flag says so, or if it has the id of a run of a simulator, or a synthetic user agent. */
static bool
is_simulated(Slice key, JsonbValue value)
{
	if (slice_is(key, "simulated") || slice_is(key, "gen_ai.simulator.is_simulator_trace"))
		return otlp_value(&value) && json_is_true(&value);
	return (slice_starts(key, "gen_ai.simulator.") || slice_is(key, "user_agent.synthetic.type")) &&
		text_of(value).data != NULL;
}

static void
read_span_kind(JsonbValue value, Facts *facts)
{
	Slice		kind = text_of(value);

	if (kind.data == NULL)
		return;
	if (kind.len == (int) strlen("EVALUATOR") && pg_strncasecmp(kind.data, "EVALUATOR", kind.len) == 0)
		facts->is_evaluator = true;
	else
		facts->is_operation = true;
}

void
read_facts(const Keys *keys, const JsonbValue *holder, Facts *facts)
{
	JsonbIterator *attributes = otlp_attributes(holder);
	Slice		key;
	JsonbValue	value;

	memset(facts, 0, sizeof(*facts));
	while (otlp_next_attribute(&attributes, &key, &value))
	{
		read_ids(keys, key, &value, facts);
		if (slice_is(key, "gen_ai.evaluation.name") || slice_starts(key, "gen_ai.evaluation.score."))
			facts->has_result = true;
		else if (slice_is(key, "gen_ai.evaluation.target_span_id"))
			facts->target_span = any_text_of(value);
		else if (slice_is(key, "gen_ai.evaluation.target_trace_id"))
			facts->target_trace = any_text_of(value);
		else if (is_annotation(key))
			facts->has_annotations = true;
		else if (is_simulated(key, value))
			facts->simulated = true;
		else if (slice_is(key, "openinference.span.kind") || slice_is(key, "gen_ai.span.kind"))
			read_span_kind(value, facts);
		else if (slice_is(key, "gen_ai.operation.name"))
			facts->is_operation = true;
		else if (slice_is(key, "gen_ai.response.id"))
			facts->response_id = text_of(value);
		else if (slice_is(key, "service.name"))
			facts->service = text_of(value);
		else if (slice_is(key, "event.name"))
			facts->event_name = text_of(value);
	}
}

/* ---- OpenTelemetry GenAI ------------------------------------------------------------------------ */

void
read_result(const JsonbValue *holder, Evaluation *evaluation)
{
	JsonbIterator *attributes = otlp_attributes(holder);
	Slice		key;
	JsonbValue	value;

	memset(evaluation, 0, sizeof(*evaluation));
	evaluation->scope = "span";
	evaluation->by_parent = true;
	while (otlp_next_attribute(&attributes, &key, &value))
	{
		if (!otlp_value(&value))
			continue;
		if (slice_is(key, "gen_ai.evaluation.name"))
			evaluation->name = json_text(&value);
		else if (slice_is(key, "gen_ai.evaluation.score.value"))
			set_score(evaluation, &value);
		else if (slice_is(key, "gen_ai.evaluation.score.label"))
			set_label(evaluation, &value);
		else if (slice_is(key, "gen_ai.evaluation.explanation"))
			evaluation->explanation = json_text(&value);
		else if (slice_is(key, "gen_ai.evaluation.target_span_id"))
			evaluation->target_span = json_text(&value);
		else if (slice_is(key, "gen_ai.evaluation.target_trace_id"))
			evaluation->target_trace = json_text(&value);
		else if (slice_is(key, "gen_ai.response.id"))
			evaluation->response_id = json_text(&value);
		else if (slice_is(key, "error.type"))
			evaluation->error = json_text(&value);
		else if (slice_is(key, "annotation.annotator_kind") || slice_is(key, "evaluation.annotator_kind"))
			evaluation->annotator = json_text(&value);
	}
}

/* ---- OpenInference ------------------------------------------------------------------------------ */

/* Move behind the next dot; the part before it, or nothing where there is none. */
static Slice
next_part(Slice *rest)
{
	const char *dot = rest->len == 0 ? NULL : memchr(rest->data, '.', rest->len);
	Slice		part = {NULL, 0};

	if (dot != NULL)
	{
		part = (Slice) {rest->data, (int) (dot - rest->data)};
		*rest = (Slice) {dot + 1, rest->len - part.len - 1};
	}
	return part;
}

/*
 * Split [scope.]annotations.<number>.annotation.<field>, or the same with evaluations: what all fields of one
 * result share, and the field. The form is the collection's name.
 */
static bool
split_annotation(Slice key, Slice *prefix, Slice *field, const char **scope, const char **form)
{
	Slice		rest = skip_scope(key, scope);
	Slice		collection = next_part(&rest);
	Slice		number = next_part(&rest);
	Slice		element = next_part(&rest);

	if (element.data == NULL || number.len == 0 || strspn(number.data, "0123456789") < (size_t) number.len)
		return false;
	if (slice_is(collection, "annotations") && slice_is(element, "annotation"))
		*form = "annotations";
	else if (slice_is(collection, "evaluations") && slice_is(element, "evaluation"))
		*form = "evaluations";
	else
		return false;
	*prefix = (Slice) {key.data, (int) (element.data - key.data)};
	*field = rest;
	return true;
}

static void
set_annotation_field(Evaluation *evaluation, Slice field, const JsonbValue *value)
{
	if (slice_is(field, "name"))
		evaluation->name = json_text(value);
	else if (slice_is(field, "score"))
		set_score(evaluation, value);
	else if (slice_is(field, "label"))
		set_label(evaluation, value);
	else if (slice_is(field, "explanation"))
		evaluation->explanation = json_text(value);
	else if (slice_is(field, "annotator_kind"))
		evaluation->annotator = json_text(value);
}

int
read_annotations(const JsonbValue *holder, Evaluation **evaluations)
{
	JsonbIterator *attributes = otlp_attributes(holder);
	KeyTable   *table = key_table_create(16);
	int			capacity = 4;
	int			n = 0;
	Slice		key;
	JsonbValue	value;

	*evaluations = palloc(capacity * sizeof(Evaluation));
	while (otlp_next_attribute(&attributes, &key, &value))
	{
		Slice		prefix;
		Slice		field;
		const char *scope;
		const char *form;
		int			i;

		if (!split_annotation(key, &prefix, &field, &scope, &form) || !otlp_value(&value))
			continue;
		i = key_table_add(table, prefix, n);
		if (i == n)
		{
			if (n == capacity)
				*evaluations = repalloc_huge(*evaluations, (capacity *= 2) * sizeof(Evaluation));
			(*evaluations)[n++] = (Evaluation) {.scope = scope, .source = form};
		}
		set_annotation_field(&(*evaluations)[i], field, &value);
	}
	return n;
}
