/*
 * trace_flat.c - evaluations outside of traces: langfuse_scores() and evaluation_scores().
 *
 * Source: Langfuse public API, score objects of versions 1 to 3.
 */
#include "trace.h"

/* The first of the members that is there; false without any. */
static bool
any_member(const JsonbValue *object, const char *const *names, int n, JsonbValue *value)
{
	for (int i = 0; i < n; i++)
		if (json_member(object, names[i], value))
			return true;
	return false;
}

/* Whether one of the members is there, also where it is null. */
static bool
has_member(const JsonbValue *object, const char *const *names, int n)
{
	JsonbValue	ignored;

	for (int i = 0; i < n; i++)
		if (json_find(object, names[i], &ignored))
			return true;
	return false;
}

/* ---- Langfuse ----------------------------------------------------------------------------------- */

/* What a score is about: ids at its top, of its trace, or, from version 3 on, in its subject. */
typedef struct Subject
{
	Slice		trace;
	Slice		observation;
	Slice		session;
	Slice		customer;
} Subject;

/* Ids of OpenTelemetry are written as otlp_evaluations() writes them, others are as they are. */
static Slice
normal_id(Slice text, int size)
{
	unsigned char id[TRACE_ID_SIZE];

	return text.len == 2 * size && read_id(text, size, id) ? id_text(id, size) : text;
}

static Subject
read_subject(const JsonbValue *score)
{
	Subject		subject = {
		.trace = json_member_text(score, "traceId"), .observation = json_member_text(score, "observationId"),
		.session = json_member_text(score, "sessionId"), .customer = json_member_text(score, "userId")
	};
	JsonbValue	member;

	if (json_member(score, "trace", &member))
	{
		if (subject.session.data == NULL)
			subject.session = json_member_text(&member, "sessionId");
		if (subject.customer.data == NULL)
			subject.customer = json_member_text(&member, "userId");
	}
	if (json_member(score, "subject", &member))
	{
		Slice		kind = json_member_text(&member, "kind");
		Slice		id = json_member_text(&member, "id");

		if (slice_is(kind, "trace"))
			subject.trace = id;
		else if (slice_is(kind, "session"))
			subject.session = id;
		else if (slice_is(kind, "observation"))
		{
			subject.observation = id;
			subject.trace = json_member_text(&member, "traceId");
		}
	}
	subject.trace = normal_id(subject.trace, TRACE_ID_SIZE);
	subject.observation = normal_id(subject.observation, SPAN_ID_SIZE);
	return subject;
}

/*
 * A category has a number only where a configuration maps it to one: without, the API fills in 0, which is no
 * score. The same 0 stands in texts and corrections, which have none at all.
 */
static void
read_langfuse_value(const JsonbValue *score, Slice type, Evaluation *evaluation)
{
	JsonbValue	value = {.type = jbvNull};
	JsonbValue	text;
	JsonbValue	configuration;
	bool		has_number = !slice_is(type, "TEXT") && !slice_is(type, "CORRECTION") &&
		(!slice_is(type, "CATEGORICAL") || json_member(score, "configId", &configuration));

	if (json_member(score, "value", &value))
	{
		if (value.type == jbvString && !slice_is(type, "NUMERIC"))
			set_label(evaluation, &value);
		else if (has_number)
			set_score(evaluation, &value);
	}
	if (json_member(score, "stringValue", &text))
		set_label(evaluation, &text);
	else if (value.type == jbvBool && evaluation->has_score)
		set_label(evaluation, &value);
}

static void
put_langfuse_score(Reader *reader, const JsonbValue *score)
{
	static const char *const times[] = {"timestamp", "createdAt"};
	Evaluation	evaluation = {
		.name = json_member_text(score, "name"), .explanation = json_member_text(score, "comment")
	};
	Slice		type = json_member_text(score, "dataType");
	Subject		subject = read_subject(score);
	JsonbValue	time;
	TimestampTz at;
	Row			row = {.n = 0};

	read_langfuse_value(score, type, &evaluation);
	if (!accept_evaluation(reader, &evaluation))
		return;
	put_text(&row, json_member_text(score, "id"));
	put_text(&row, subject.trace);
	put_text(&row, subject.observation);
	put_text(&row, subject.session);
	put_text(&row, subject.customer);
	put_evaluation(&row, &evaluation);
	put_text(&row, json_member_text(score, "source"));
	put_text(&row, type);
	if (!any_member(score, times, lengthof(times), &time))
		put_null(&row);
	else if (time.type == jbvString && read_timestamp(json_text(&time), &at))
		put_timestamp(&row, at);
	else
	{
		reader->problems[PROBLEM_TIME]++;
		put_null(&row);
	}
	put_text(&row, json_member_text(score, "environment"));
	put_row(reader, &row);
}

/* Whether there is an array to go through: the document, or its member "data". */
static bool
find_list(const JsonbValue *document, JsonbValue *list)
{
	*list = *document;
	return json_is_array(document) || (json_member(document, "data", list) && json_is_array(list));
}

PG_FUNCTION_INFO_V1(clv_trace_langfuse_scores);
Datum
clv_trace_langfuse_scores(PG_FUNCTION_ARGS)
{
	Reader		reader;
	JsonbValue	document;
	JsonbValue	list;
	JsonbValue	score;
	JsonbIterator *scores;

	begin_reader(fcinfo, &reader, &document);
	if (find_list(&document, &list))
	{
		scores = json_elements(&list);
		while (json_next_element(&scores, &score))
		{
			MemoryContextSwitchTo(reader.row_memory);
			if (json_is_object(&score))
				put_langfuse_score(&reader, &score);
			else
				reader.problems[PROBLEM_PART]++;
			MemoryContextSwitchTo(reader.memory);
			MemoryContextReset(reader.row_memory);
		}
	}
	else if (json_is_object(&document))
		put_langfuse_score(&reader, &document);
	else
		reader.problems[PROBLEM_DOCUMENT]++;
	end_reader(&reader,
			   "Each score needs a name, and a value or a comment; its timestamp is a date and time of ISO 8601.");
	return (Datum) 0;
}

/* ---- flat shapes -------------------------------------------------------------------------------- */

static const char *const name_keys[] = {"name", "metric", "evaluator"};
static const char *const score_keys[] = {"score", "value"};
static const char *const label_keys[] = {"label", "labels"};
static const char *const explanation_keys[] = {"explanation", "reason", "reasoning", "comment", "rationale"};

/* A plain value: a number is a score, also in a string; other strings and lists are labels, a boolean is both. */
static void
read_plain(const JsonbValue *value, Evaluation *evaluation)
{
	double		number;

	if (value->type == jbvNumeric || json_number(value, &number))
		set_score(evaluation, value);
	else
		set_label(evaluation, value);
	if (value->type == jbvBool)
		set_label(evaluation, value);
}

static void
read_fields(const JsonbValue *object, Evaluation *evaluation)
{
	JsonbValue	score;
	JsonbValue	label;
	JsonbValue	explanation;
	bool		has_score = any_member(object, score_keys, lengthof(score_keys), &score);
	bool		has_label = any_member(object, label_keys, lengthof(label_keys), &label);

	if (has_score && (score.type == jbvString || score.type == jbvBool) && !has_label)
		read_plain(&score, evaluation);
	else if (has_score)
		set_score(evaluation, &score);
	if (has_label)
		set_label(evaluation, &label);
	if (any_member(object, explanation_keys, lengthof(explanation_keys), &explanation))
		evaluation->explanation = json_text(&explanation);
}

static void
put_flat(Reader *reader, const Evaluation *evaluation)
{
	Row			row = {.n = 0};

	if (accept_evaluation(reader, evaluation))
	{
		put_evaluation(&row, evaluation);
		put_row(reader, &row);
	}
}

/* {"name": .., "score": ..} */
static void
put_record(Reader *reader, const JsonbValue *record)
{
	Evaluation	evaluation = {.has_score = false};
	JsonbValue	name;

	if (any_member(record, name_keys, lengthof(name_keys), &name))
		evaluation.name = json_text(&name);
	read_fields(record, &evaluation);
	put_flat(reader, &evaluation);
}

/*
 * Whether an object is one record, and not a set of evaluations by name: its name is a text, and it has a field. null
 * tells that there is no name or no score, not that the record is something else.
 */
static bool
is_record(const JsonbValue *object)
{
	JsonbValue	name;
	bool		has_name = any_member(object, name_keys, lengthof(name_keys), &name) ? name.type == jbvString
		: has_member(object, name_keys, lengthof(name_keys));

	return has_name && (has_member(object, score_keys, lengthof(score_keys)) ||
						has_member(object, label_keys, lengthof(label_keys)) ||
						has_member(object, explanation_keys, lengthof(explanation_keys)));
}

static void
put_records(Reader *reader, const JsonbValue *list)
{
	JsonbIterator *elements = json_elements(list);
	JsonbValue	element;

	while (json_next_element(&elements, &element))
	{
		MemoryContext memory = MemoryContextSwitchTo(reader->row_memory);

		if (json_is_object(&element))
			put_record(reader, &element);
		else
			reader->problems[PROBLEM_PART]++;
		MemoryContextSwitchTo(memory);
		MemoryContextReset(reader->row_memory);
	}
}

/* {"Name": 0.8}, {"Name": {"score": ..}}; null is no evaluation. */
static void
put_named(Reader *reader, const JsonbValue *object)
{
	JsonbIterator *members = json_elements(object);
	Evaluation	evaluation = {.has_score = false};
	JsonbValue	value;

	while (json_next_member(&members, &evaluation.name, &value))
	{
		MemoryContext memory = MemoryContextSwitchTo(reader->row_memory);

		evaluation = (Evaluation) {.name = evaluation.name};
		if (json_is_object(&value))
			read_fields(&value, &evaluation);
		else if (value.type != jbvNull)
			read_plain(&value, &evaluation);
		if (value.type != jbvNull)
			put_flat(reader, &evaluation);
		MemoryContextSwitchTo(memory);
		MemoryContextReset(reader->row_memory);
	}
}

PG_FUNCTION_INFO_V1(clv_trace_evaluation_scores);
Datum
clv_trace_evaluation_scores(PG_FUNCTION_ARGS)
{
	Reader		reader;
	JsonbValue	document;

	begin_reader(fcinfo, &reader, &document);
	if (json_is_array(&document))
		put_records(&reader, &document);
	else if (!json_is_object(&document))
		reader.problems[PROBLEM_DOCUMENT]++;
	else if (is_record(&document))
		put_record(&reader, &document);
	else
		put_named(&reader, &document);
	end_reader(&reader, "Each evaluation needs a name, and a score, a label or an explanation.");
	return (Datum) 0;
}
