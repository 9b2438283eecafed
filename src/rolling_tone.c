/*
 * rolling_tone.c - what evaluators say, made comparable: labels of tone, scales of scores, names.
 */
#include "common.h"

#include <math.h>

#include "catalog/pg_collation.h"
#include "catalog/pg_type.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/formatting.h"
#include "utils/memutils.h"

/* ---- text without case ------------------------------------------------------------------------- */

static bool
is_ascii(const char *s, int length)
{
	for (int i = 0; i < length; i++)
		if (IS_HIGHBIT_SET(s[i]))
			return false;
	return true;
}

/*
 * Palloc'd in lower case. ASCII letters are the same in every locale, so that an index or a stored result is; the
 * others follow that of the database.
 */
static char *
lower_case(const char *s, int length)
{
	char	   *lower;

	if (!is_ascii(s, length))
		return str_tolower(s, length, DEFAULT_COLLATION_OID);
	lower = pnstrdup(s, length);
	for (char *c = lower; *c; c++)
		*c = pg_ascii_tolower((unsigned char) *c);
	return lower;
}

static bool
is_space(char c)
{
	return c == ' ' || (c >= '\t' && c <= '\r');
}

/* A label in lower case, without white space around it. */
static char *
folded_label(const text *label)
{
	const char *begin = VARDATA_ANY(label);
	const char *end = begin + VARSIZE_ANY_EXHDR(label);

	while (begin < end && is_space(*begin))
		begin++;
	while (end > begin && is_space(end[-1]))
		end--;
	return lower_case(begin, end - begin);
}

/* ---- tone -------------------------------------------------------------------------------------- */

typedef struct Labels
{
	int			n;
	char	   *folded[FLEXIBLE_ARRAY_MEMBER];
} Labels;

/* The labels of an array that are not NULL, folded, in its order. */
static Labels *
labels_of_array(ArrayType *array)
{
	Datum	   *elements;
	bool	   *nulls;
	int			n;
	Labels	   *labels;

	deconstruct_array(array, TEXTOID, -1, false, TYPALIGN_INT, &elements, &nulls, &n);
	labels = palloc(offsetof(Labels, folded) + n * sizeof(char *));
	labels->n = 0;
	for (int i = 0; i < n; i++)
		if (!nulls[i])
			labels->folded[labels->n++] = folded_label(DatumGetTextPP(elements[i]));
	return labels;
}

/* The labels that count as frustration, as they came and folded: kept from row to row. */
typedef struct BadLabels
{
	MemoryContext context;		/* of all of this */
	ArrayType  *array;
	Labels	   *labels;
} BadLabels;

/* Argument 1, folded: once a query where it is the same in every row. */
static const Labels *
bad_labels(FunctionCallInfo fcinfo)
{
	BadLabels  *bad = fcinfo->flinfo->fn_extra;
	ArrayType  *array = PG_GETARG_ARRAYTYPE_P(1);
	MemoryContext context;
	MemoryContext caller;

	if (bad && VARSIZE(bad->array) == VARSIZE(array) && memcmp(bad->array, array, VARSIZE(array)) == 0)
		return bad->labels;
	if (bad)
	{
		fcinfo->flinfo->fn_extra = NULL;
		MemoryContextDelete(bad->context);
	}
	context = AllocSetContextCreate(fcinfo->flinfo->fn_mcxt, "clv bad labels", ALLOCSET_SMALL_SIZES);
	caller = MemoryContextSwitchTo(context);
	bad = palloc(sizeof(BadLabels));
	bad->context = context;
	bad->array = (ArrayType *) pg_detoast_datum_copy((struct varlena *) array);
	bad->labels = labels_of_array(bad->array);
	MemoryContextSwitchTo(caller);
	fcinfo->flinfo->fn_extra = bad;
	return bad->labels;
}

static bool
is_among(const char *label, const Labels *labels)
{
	for (int i = 0; i < labels->n; i++)
		if (strcmp(label, labels->folded[i]) == 0)
			return true;
	return false;
}

/* is_frustrated(labels, bad): whether one of the labels is among the bad ones */
PG_FUNCTION_INFO_V1(clv_rolling_is_frustrated);
Datum
clv_rolling_is_frustrated(PG_FUNCTION_ARGS)
{
	const Labels *labels = labels_of_array(PG_GETARG_ARRAYTYPE_P(0));
	const Labels *bad = bad_labels(fcinfo);

	for (int i = 0; i < labels->n; i++)
		if (is_among(labels->folded[i], bad))
			PG_RETURN_BOOL(true);
	PG_RETURN_BOOL(false);
}

/* is_frustrated_label(label, bad) */
PG_FUNCTION_INFO_V1(clv_rolling_is_frustrated_label);
Datum
clv_rolling_is_frustrated_label(PG_FUNCTION_ARGS)
{
	PG_RETURN_BOOL(is_among(folded_label(PG_GETARG_TEXT_PP(0)), bad_labels(fcinfo)));
}

/* ---- scales ------------------------------------------------------------------------------------ */

typedef struct Scale
{
	double		low;
	double		high;
} Scale;

/* Arguments 1 and 2. */
static Scale
checked_scale(FunctionCallInfo fcinfo)
{
	Scale		scale = {PG_GETARG_FLOAT8(1), PG_GETARG_FLOAT8(2)};

	/* the length is finite only where both ends are */
	if (!(scale.low < scale.high && isfinite(scale.high - scale.low)))
		argument_error("low must be below high, and both finite",
					   "Give the ends of the scale as numbers, the smaller one first; for a scale on which less is "
					   "better say higher_is_better => false.", "low = %g, high = %g.", scale.low, scale.high);
	return scale;
}

static bool
on_scale(double score, const Scale *scale)
{
	return score >= scale->low && score <= scale->high;
}

/* normalize_score(score, low, high, higher_is_better): 0 the worst end of the scale, 1 the best */
PG_FUNCTION_INFO_V1(clv_rolling_normalize_score);
Datum
clv_rolling_normalize_score(PG_FUNCTION_ARGS)
{
	double		score = PG_GETARG_FLOAT8(0);
	Scale		scale = checked_scale(fcinfo);
	double		from_worst = PG_GETARG_BOOL(3) ? score - scale.low : scale.high - score;

	if (!on_scale(score, &scale))
		PG_RETURN_NULL();
	PG_RETURN_FLOAT8(from_worst / (scale.high - scale.low));
}

/* score_in_range(score, low, high) */
PG_FUNCTION_INFO_V1(clv_rolling_score_in_range);
Datum
clv_rolling_score_in_range(PG_FUNCTION_ARGS)
{
	Scale		scale = checked_scale(fcinfo);

	PG_RETURN_BOOL(on_scale(PG_GETARG_FLOAT8(0), &scale));
}

/* ---- names ------------------------------------------------------------------------------------- */

static bool
is_upper(char c)
{
	return c >= 'A' && c <= 'Z';
}

static bool
is_lower(char c)
{
	return c >= 'a' && c <= 'z';
}

/* Letters beyond ASCII are parts of words, without a case that would begin one. */
static bool
is_word(char c)
{
	return is_upper(c) || is_lower(c) || (c >= '0' && c <= '9') || IS_HIGHBIT_SET(c);
}

/*
 * Whether a capital at i begins a word of a CamelCase name: behind anything but a capital, or as the last of several
 * capitals, where a small letter follows.
 */
static bool
begins_word(const char *name, int i, int length)
{
	if (i == 0 || !is_upper(name[i]))
		return false;
	return !is_upper(name[i - 1]) || (i + 1 < length && is_lower(name[i + 1]));
}

/* evaluator_key(name): the name in snake_case */
PG_FUNCTION_INFO_V1(clv_rolling_evaluator_key);
Datum
clv_rolling_evaluator_key(PG_FUNCTION_ARGS)
{
	const text *argument = PG_GETARG_TEXT_PP(0);
	const char *name = VARDATA_ANY(argument);
	int			length = VARSIZE_ANY_EXHDR(argument);
	char	   *key = palloc(2 * (Size) length + 1);
	int			n = 0;
	bool		gap = false;

	for (int i = 0; i < length; i++)
	{
		gap = gap || !is_word(name[i]) || begins_word(name, i, length);
		if (!is_word(name[i]))
			continue;
		if (gap && n > 0)
			key[n++] = '_';
		key[n++] = name[i];
		gap = false;
	}
	if (n == 0)
		PG_RETURN_NULL();
	PG_RETURN_TEXT_P(cstring_to_text(lower_case(key, n)));
}
