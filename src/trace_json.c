/*
 * trace_json.c - what all readers of evaluations share: values of JSON and of OTLP, evaluations, rows.
 */
#include "trace.h"

#include "catalog/pg_type.h"
#include "lib/stringinfo.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/datetime.h"
#include "utils/json.h"
#include "utils/memutils.h"

#define MAX_NAME 64				/* of members; ours are shorter */
#define MAX_TIME 64				/* of dates and times; those with nanoseconds and an offset have 35 characters */

/* ---- JSON -------------------------------------------------------------------------------------- */

void
json_root(Jsonb *document, JsonbValue *root)
{
	if (!JB_ROOT_IS_SCALAR(document) || !JsonbExtractScalar(&document->root, root))
	{
		root->type = jbvBinary;
		root->val.binary.data = &document->root;
		root->val.binary.len = VARSIZE(document) - VARHDRSZ;
	}
}

bool
json_find(const JsonbValue *object, const char *name, JsonbValue *member)
{
	char		snake[MAX_NAME];
	int			length = 0;

	if (!json_is_object(object))
		return false;
	if (getKeyJsonValueFromContainer(object->val.binary.data, name, (int) strlen(name), member) != NULL)
		return true;
	for (const char *c = name; *c != '\0' && length < MAX_NAME - 2; c++)
	{
		if (*c >= 'A' && *c <= 'Z')
			snake[length++] = '_';
		snake[length++] = pg_ascii_tolower((unsigned char) *c);
	}
	return length > (int) strlen(name) &&
		getKeyJsonValueFromContainer(object->val.binary.data, snake, length, member) != NULL;
}

bool
json_member(const JsonbValue *object, const char *name, JsonbValue *member)
{
	return json_find(object, name, member) && member->type != jbvNull;
}

JsonbIterator *
json_elements(const JsonbValue *array)
{
	JsonbIterator *elements = JsonbIteratorInit(array->val.binary.data);
	JsonbValue	begin;

	JsonbIteratorNext(&elements, &begin, false);
	return elements;
}

bool
json_next_element(JsonbIterator **elements, JsonbValue *element)
{
	CHECK_FOR_INTERRUPTS();
	return JsonbIteratorNext(elements, element, true) == WJB_ELEM;
}

bool
json_next_member(JsonbIterator **members, Slice *name, JsonbValue *value)
{
	CHECK_FOR_INTERRUPTS();
	if (JsonbIteratorNext(members, value, true) != WJB_KEY)
		return false;
	*name = json_text(value);
	return JsonbIteratorNext(members, value, true) == WJB_VALUE;
}

Slice
json_text(const JsonbValue *value)
{
	Slice		text = {NULL, 0};

	if (value->type == jbvString)
	{
		if (value->val.string.len > 0)
			text = (Slice) {value->val.string.val, value->val.string.len};
		return text;
	}
	if (value->type == jbvNumeric)
		text.data = DatumGetCString(DirectFunctionCall1(numeric_out, NumericGetDatum(value->val.numeric)));
	else if (value->type == jbvBool)
		text.data = value->val.boolean ? "true" : "false";
	else if (value->type == jbvBinary)
		text.data = JsonbToCString(NULL, value->val.binary.data, value->val.binary.len);
	if (text.data != NULL)
		text.len = (int) strlen(text.data);
	return text;
}

Slice
json_member_text(const JsonbValue *object, const char *name)
{
	JsonbValue	member;

	return json_member(object, name, &member) ? json_text(&member) : (Slice) {NULL, 0};
}

/* A number, or a string that may be one, as terminated text; NULL for anything else and for the empty string. */
static const char *
number_text(const JsonbValue *value)
{
	Slice		text = {NULL, 0};

	if (value->type == jbvNumeric || value->type == jbvString)
		text = json_text(value);
	return text.data == NULL ? NULL : pnstrdup(text.data, text.len);
}

bool
json_number(const JsonbValue *value, double *number)
{
	const char *text;
	const char *cursor;

	if (value->type == jbvBool)
	{
		*number = value->val.boolean;
		return true;
	}
	text = cursor = number_text(value);
	if (cursor == NULL || !scan_double(&cursor, number) || *cursor != '\0')
		return false;
	return *number != 0.0 || strcspn(text, "123456789") >= strcspn(text, "eE");	/* 1e-400 is not 0 */
}

bool
json_int64(const JsonbValue *value, int64 *number)
{
	const char *cursor = number_text(value);

	if (cursor == NULL || !scan_int64(&cursor, number))
		return false;
	if (*cursor == '.')
		cursor += 1 + strspn(cursor + 1, "0");
	return *cursor == '\0';
}

bool
json_is_true(const JsonbValue *value)
{
	Slice		text = json_text(value);

	return text.data != NULL &&
		(slice_is(text, "true") || slice_is(text, "True") || slice_is(text, "1"));
}

/* ---- ids and times ----------------------------------------------------------------------------- */

static int
hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c = pg_ascii_tolower((unsigned char) c);
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static int
base64_digit(char c)
{
	if (c >= 'A' && c <= 'Z')
		return c - 'A';
	if (c >= 'a' && c <= 'z')
		return c - 'a' + 26;
	if (c >= '0' && c <= '9')
		return c - '0' + 52;
	if (c == '+' || c == '-')
		return 62;
	return c == '/' || c == '_' ? 63 : -1;
}

static bool
read_hex(Slice text, unsigned char *id)
{
	for (int i = 0; i < text.len; i += 2)
	{
		int			high = hex_digit(text.data[i]);
		int			low = hex_digit(text.data[i + 1]);

		if (high < 0 || low < 0)
			return false;
		id[i / 2] = (unsigned char) (16 * high + low);
	}
	return true;
}

static bool
read_base64(Slice text, int size, unsigned char *id)
{
	uint32		bits = 0;
	int			n_bits = 0;
	int			n = 0;

	for (int i = 0; i < text.len; i++)
	{
		int			digit = base64_digit(text.data[i]);

		if (digit < 0)
			return false;
		bits = bits << 6 | (uint32) digit;
		n_bits += 6;
		if (n_bits >= 8)
		{
			n_bits -= 8;
			if (n == size)
				return false;
			id[n++] = (unsigned char) (bits >> n_bits);
		}
	}
	return n == size;
}

bool
read_id(Slice text, int size, unsigned char *id)
{
	int			digits = (8 * size + 5) / 6;	/* of base64, without padding */

	if (text.len == 2 * size)
		return read_hex(text, id);
	if (text.len == (size + 2) / 3 * 4)
		while (text.len > digits && text.data[text.len - 1] == '=')
			text.len--;
	return text.len == digits && read_base64(text, size, id);
}

Slice
id_text(const unsigned char *id, int size)
{
	char	   *text = palloc(2 * size + 1);

	for (int i = 0; i < size; i++)
		snprintf(text + 2 * i, 3, "%02x", id[i]);
	return (Slice) {text, 2 * size};
}

/* Exactly `count` digits and then, unless it is 0, the character `end`; the number or -1. */
static int
scan_part(const char **cursor, int count, char end)
{
	int			value = 0;

	for (int i = 0; i < count; i++)
	{
		char		c = *(*cursor)++;

		if (c < '0' || c > '9')
			return -1;
		value = 10 * value + (c - '0');
	}
	return end == 0 || *(*cursor)++ == end ? value : -1;
}

/* The offset from UTC in seconds: nothing, Z, +hh, +hhmm or +hh:mm, and then the end. */
static bool
scan_offset(const char *s, int *seconds)
{
	int			sign = *s == '-' ? -1 : 1;
	int			hours;
	int			minutes = 0;

	*seconds = 0;
	if (*s == 'Z' || *s == 'z')
		return s[1] == '\0';
	if (*s == '\0')
		return true;
	if (*s != '+' && *s != '-')
		return false;
	s++;
	if ((hours = scan_part(&s, 2, 0)) < 0)
		return false;
	if (*s != '\0')
	{
		if (*s == ':')
			s++;
		if ((minutes = scan_part(&s, 2, 0)) < 0)
			return false;
	}
	*seconds = sign * (3600 * hours + 60 * minutes);
	return *s == '\0' && hours < 16 && minutes < 60;
}

bool
read_timestamp(Slice text, TimestampTz *at)
{
	const char *s = text.data == NULL || text.len > MAX_TIME ? "" : pnstrdup(text.data, text.len);
	int			year = scan_part(&s, 4, '-');
	int			month = year < 1 ? -1 : scan_part(&s, 2, '-');
	int			day = month < 1 || month > 12 ? -1 : scan_part(&s, 2, 0);
	int			hour;
	int			minute;
	int			second = 0;
	int			offset;
	int64		micros = 0;

	if (day < 1 || day > day_tab[isleap(year)][month - 1] || (*s != 'T' && *s != 't' && *s != ' '))
		return false;
	s++;
	hour = scan_part(&s, 2, ':');
	minute = hour < 0 || hour > 23 ? -1 : scan_part(&s, 2, 0);
	if (minute < 0 || minute > 59)
		return false;
	if (*s == ':')
	{
		s++;
		if ((second = scan_part(&s, 2, 0)) < 0 || second > 59)
			return false;
	}
	if (*s == '.')
		for (int64 unit = USECS_PER_SEC / 10; *++s >= '0' && *s <= '9'; unit /= 10)
			micros += unit * (*s - '0');
	if (!scan_offset(s, &offset))
		return false;
	*at = (TimestampTz) (date2j(year, month, day) - POSTGRES_EPOCH_JDATE) * USECS_PER_DAY +
		(int64) (3600 * hour + 60 * minute + second - offset) * USECS_PER_SEC + micros;
	return true;
}

/* ---- OTLP attributes --------------------------------------------------------------------------- */

bool
otlp_value(JsonbValue *value)
{
	static const char *const scalars[] = {"stringValue", "intValue", "doubleValue", "boolValue", "bytesValue"};
	static const JsonbContainer empty_array = {.header = JB_FARRAY};
	JsonbValue	any = *value;
	JsonbValue	list;
	JsonbValue	values;

	if (!json_is_object(value))
		return value->type != jbvNull;
	for (int i = 0; i < lengthof(scalars); i++)
		if (json_member(&any, scalars[i], value))
			return true;
	*value = any;
	if (!json_member(&any, "arrayValue", &list))
		return json_member(&any, "kvlistValue", &list);
	if (json_is_object(&list) && !json_member(&list, "values", &values))
	{
		value->val.binary.data = unconstify(JsonbContainer *, &empty_array);
		value->val.binary.len = sizeof(empty_array);
	}
	else if (json_is_object(&list) && json_is_array(&values))
		*value = values;
	return true;
}

JsonbIterator *
otlp_attributes(const JsonbValue *holder)
{
	JsonbValue	list;

	return json_member(holder, "attributes", &list) && json_is_array(&list) ? json_elements(&list) : NULL;
}

bool
otlp_next_attribute(JsonbIterator **attributes, Slice *key, JsonbValue *value)
{
	JsonbValue	attribute;

	if (*attributes == NULL)
		return false;
	while (json_next_element(attributes, &attribute))
	{
		*key = json_member_text(&attribute, "key");
		if (key->data != NULL && json_member(&attribute, "value", value))
			return true;
	}
	return false;
}

/* ---- evaluations ------------------------------------------------------------------------------- */

void
set_score(Evaluation *evaluation, const JsonbValue *value)
{
	evaluation->has_score = json_number(value, &evaluation->score);
	evaluation->bad_score = !evaluation->has_score;
}

/* The four hexadecimal digits of \u, without moving; -1 where there are fewer. */
static int
peek_utf16(const char *s, const char *end)
{
	int			unit = 0;

	if (end - s < 4)
		return -1;
	for (int i = 0; i < 4; i++)
	{
		int			digit = hex_digit(s[i]);

		if (digit < 0)
			return -1;
		unit = unit << 4 | digit;
	}
	return unit;
}

/*
 * The character behind \u, in one unit of UTF-16 or in two; false for half a pair, and for what a text of this
 * database cannot hold.
 */
static bool
scan_unicode(const char **cursor, const char *end, char **to)
{
	const char *s = *cursor;
	int			unit = peek_utf16(s, end);
	pg_wchar	character = unit;

	if (unit <= 0)
		return false;
	s += 4;
	if (is_utf16_surrogate_first(character))
	{
		int			second = end - s > 2 && s[0] == '\\' && s[1] == 'u' ? peek_utf16(s + 2, end) : -1;

		if (second < 0 || !is_utf16_surrogate_second(second))
			return false;
		character = surrogate_pair_to_codepoint(character, second);
		s += 6;
	}
	if (is_utf16_surrogate_second(character) || (character > 0x7F && GetDatabaseEncoding() != PG_UTF8))
		return false;
	unicode_to_utf8(character, (unsigned char *) *to);
	*to += pg_encoding_mblen(PG_UTF8, *to);
	*cursor = s;
	return true;
}

/* What a backslash stands for together with what follows it, in JSON and Python; both cursors move on. */
static bool
scan_escape(const char **cursor, const char *end, char **to)
{
	static const char names[] = "\\\"'/bfnrt";
	static const char meanings[] = "\\\"'/\b\f\n\r\t";
	char		name;
	const char *found;

	if (*cursor == end)
		return false;
	name = *(*cursor)++;
	if (name == 'u')
		return scan_unicode(cursor, end, to);
	found = memchr(names, name, strlen(names));
	if (found == NULL)
		return false;
	*(*to)++ = meanings[found - names];
	return true;
}

/*
 * The rest of a string whose opening quote was read, copied to *copy, which moves on; false where it does not end
 * or has an escape that is none.
 */
static bool
scan_quoted(const char **cursor, const char *end, char quote, char **copy, Slice *text)
{
	char	   *to = *copy;

	while (*cursor < end)
	{
		char		c = *(*cursor)++;

		if (c == quote)
		{
			*text = (Slice) {*copy, (int) (to - *copy)};
			*copy = to;
			return true;
		}
		if (c != '\\')
			*to++ = c;
		else if (!scan_escape(cursor, end, &to))
			return false;
	}
	return false;
}

static const char *
skip_blanks(const char *s, const char *end)
{
	while (s < end && (*s == ' ' || *s == '\t' || *s == '\n' || *s == '\r'))
		s++;
	return s;
}

/* The labels of a list of strings in brackets, in quotes of either kind; false for anything else. */
static bool
scan_list(Slice text, Evaluation *evaluation)
{
	const char *end = text.data + text.len;
	const char *s = skip_blanks(text.data, end);
	char	   *copy;
	int			commas = 0;

	if (s == end || *s++ != '[')
		return false;
	copy = palloc(text.len);
	for (int i = 0; i < text.len; i++)
		commas += text.data[i] == ',';
	evaluation->labels = MemoryContextAllocHuge(CurrentMemoryContext, ((Size) commas + 1) * sizeof(Slice));
	evaluation->n_labels = 0;
	s = skip_blanks(s, end);
	while (s < end && (*s == '"' || *s == '\''))
	{
		char		quote = *s++;

		if (!scan_quoted(&s, end, quote, &copy, &evaluation->labels[evaluation->n_labels]))
			return false;
		evaluation->n_labels += evaluation->labels[evaluation->n_labels].len > 0;
		s = skip_blanks(s, end);
		if (s == end || *s != ',')
			break;
		s = skip_blanks(s + 1, end);
	}
	return s < end && *s == ']' && skip_blanks(s + 1, end) == end;
}

/* Whether what an AnyValue holds can be a label. */
static bool
is_label(const JsonbValue *value)
{
	return value->type == jbvString || value->type == jbvNumeric || value->type == jbvBool;
}

/* Labels from an array; the label is its only element, or the array as JSON. Elements that are none are left out. */
static void
set_label_array(Evaluation *evaluation, const JsonbValue *array)
{
	JsonbIterator *elements = json_elements(array);
	JsonbValue	element;
	StringInfoData json;

	evaluation->labels = MemoryContextAllocHuge(CurrentMemoryContext,
												((Size) JsonContainerSize(array->val.binary.data) + 1) * sizeof(Slice));
	evaluation->n_labels = 0;
	initStringInfo(&json);
	while (json_next_element(&elements, &element))
	{
		Slice		text;

		if (!otlp_value(&element) || !is_label(&element))
		{
			evaluation->bad_label = true;
			continue;
		}
		text = json_text(&element);
		if (text.data == NULL)
			continue;
		evaluation->labels[evaluation->n_labels++] = text;
		appendStringInfoString(&json, json.len == 0 ? "[" : ", ");
		escape_json(&json, pnstrdup(text.data, text.len));
	}
	if (evaluation->n_labels == 1)
		evaluation->label = evaluation->labels[0];
	else if (evaluation->n_labels > 1 || !evaluation->bad_label)
	{
		appendStringInfoString(&json, json.len == 0 ? "[]" : "]");
		evaluation->label = (Slice) {json.data, json.len};
	}
}

void
set_label(Evaluation *evaluation, const JsonbValue *value)
{
	evaluation->label = (Slice) {NULL, 0};
	evaluation->bad_label = !json_is_array(value) && !is_label(value);
	if (json_is_array(value))
	{
		set_label_array(evaluation, value);
		return;
	}
	if (evaluation->bad_label)
		return;
	evaluation->label = json_text(value);
	if (evaluation->label.data != NULL && !scan_list(evaluation->label, evaluation))
	{
		evaluation->labels = palloc(sizeof(Slice));
		evaluation->labels[0] = evaluation->label;
		evaluation->n_labels = 1;
	}
}

bool
accept_evaluation(Reader *reader, const Evaluation *evaluation)
{
	bool		is_complete = evaluation->name.data != NULL &&
		(evaluation->has_score || evaluation->label.data != NULL || evaluation->explanation.data != NULL ||
		 evaluation->error.data != NULL);

	reader->problems[PROBLEM_SCORE] += evaluation->bad_score;
	reader->problems[PROBLEM_LABEL] += evaluation->bad_label;
	reader->problems[PROBLEM_RESULT] += !is_complete && !evaluation->bad_score && !evaluation->bad_label;
	return is_complete;
}

/* ---- readers ----------------------------------------------------------------------------------- */

const char *const problem_names[N_PROBLEMS] = {
	"not a document of this kind", "not an object", "not a list", "not an id", "not a time", "score is no number",
	"label is no text", "no name or no result"
};

void
begin_reader(FunctionCallInfo fcinfo, Reader *reader, JsonbValue *document)
{
	memset(reader, 0, sizeof(*reader));
	reader->fcinfo = fcinfo;
	reader->result = result_set(fcinfo);
	reader->memory = AllocSetContextCreate(CurrentMemoryContext, "clv document", ALLOCSET_DEFAULT_SIZES);
	reader->row_memory = AllocSetContextCreate(reader->memory, "clv row", ALLOCSET_DEFAULT_SIZES);
	reader->caller = MemoryContextSwitchTo(reader->memory);
	json_root(PG_GETARG_JSONB_P(0), document);
}

#define WARNED_OF_PROBLEMS 1

void
end_reader(Reader *reader, const char *hint)
{
	StringInfoData detail;

	initStringInfo(&detail);
	for (int i = 0; i < N_PROBLEMS; i++)
		if (reader->problems[i] != 0)
			appendStringInfo(&detail, "%s%s: " INT64_FORMAT, detail.len == 0 ? "" : ", ", problem_names[i],
							 reader->problems[i]);
	if (detail.len > 0 && first_warning(reader->fcinfo, WARNED_OF_PROBLEMS))
		ereport(WARNING,
				(errmsg("malformed parts of a document were skipped"),
				 errdetail("%s. Further documents of this query are not reported.", detail.data),
				 errhint("%s", hint)));
	MemoryContextSwitchTo(reader->caller);
	MemoryContextDelete(reader->memory);
}

/* ---- rows -------------------------------------------------------------------------------------- */

static void
put_datum(Row *row, Datum value, bool is_null)
{
	Assert(row->n < MAX_COLUMNS);
	row->values[row->n] = value;
	row->nulls[row->n++] = is_null;
}

void
put_null(Row *row)
{
	put_datum(row, (Datum) 0, true);
}

void
put_text(Row *row, Slice text)
{
	if (text.data == NULL)
		put_null(row);
	else
		put_datum(row, PointerGetDatum(cstring_to_text_with_len(text.data, text.len)), false);
}

void
put_word(Row *row, const char *text)
{
	put_text(row, (Slice) {text, text == NULL ? 0 : (int) strlen(text)});
}

void
put_bool(Row *row, bool value)
{
	put_datum(row, BoolGetDatum(value), false);
}

void
put_int64(Row *row, int64 value)
{
	put_datum(row, Int64GetDatum(value), false);
}

void
put_timestamp(Row *row, TimestampTz at)
{
	put_datum(row, TimestampTzGetDatum(at), false);
}

void
put_evaluation(Row *row, const Evaluation *evaluation)
{
	put_text(row, evaluation->name);
	put_datum(row, Float8GetDatum(evaluation->score), !evaluation->has_score);
	put_text(row, evaluation->label);
	if (evaluation->label.data == NULL)
		put_null(row);
	else
	{
		Datum	   *labels = palloc(Max(evaluation->n_labels, 1) * sizeof(Datum));

		for (int i = 0; i < evaluation->n_labels; i++)
			labels[i] = PointerGetDatum(cstring_to_text_with_len(evaluation->labels[i].data,
																 evaluation->labels[i].len));
		put_datum(row, PointerGetDatum(construct_array(labels, evaluation->n_labels, TEXTOID, -1, false, TYPALIGN_INT)),
				  false);
	}
	put_text(row, evaluation->explanation);
}

void
put_row(Reader *reader, Row *row)
{
	if (!reader->counting)
		tuplestore_putvalues(reader->result->setResult, reader->result->setDesc, row->values, row->nulls);
}
