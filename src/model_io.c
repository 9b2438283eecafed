/*
 * model_io.c - text, binary and JSON form of clv_model.
 *
 * Text: bgnbd(unit=week,...,n=2357,distinct=1034,rows=0123456789abcdef,log_likelihood=-9582.4,gradient=1e-12,
 * iterations=7,converged=true,clv=10000){r=0.24,alpha=4.41,a=0.79,b=2.43}{covariance of eta, row by row}. A weight
 * comes before clv where it is not 1; effects of covariates follow the parameters: purchase_1=0.3,...,dropout_1=-0.2.
 * A typed-in model has at most a unit in the parentheses; a prior has the number of its cohorts there: prior=12.
 * A regression has what it knows of its fit at the end of the parentheses: errors=HC3,df=13,sigma=0.3,r_squared=0.9,
 * statistic=12,clusters=40, each left out where it is not known, and x1=null for an effect that cannot be told.
 */
#include "model.h"

#include <math.h>

#include "libpq/pqformat.h"
#include "utils/builtins.h"
#include "utils/float.h"
#include "utils/jsonb.h"

/* Sixteen lower-case hexadecimal digits. */
#define FINGERPRINT_DIGITS 16
#define FINGERPRINT_FORMAT "%016llx"	/* PostgreSQL 18 has no INT64_MODIFIER */

/* ---- text output ------------------------------------------------------------------------------- */

static void
append_fit(StringInfo buf, int start, const ClvModel *m)
{
	append_field(buf, start, "n");
	appendStringInfo(buf, INT64_FORMAT, m->fit.n);
	append_field(buf, start, "distinct");
	appendStringInfo(buf, INT64_FORMAT, m->fit.n_distinct);
	append_field(buf, start, "rows");
	appendStringInfo(buf, FINGERPRINT_FORMAT, (unsigned long long) m->fit.fingerprint);
	append_field(buf, start, "log_likelihood");
	append_double(buf, m->fit.log_likelihood);
	append_field(buf, start, "gradient");
	append_double(buf, m->fit.gradient_norm);
	append_field(buf, start, "iterations");
	appendStringInfo(buf, "%d", m->fit.iterations);
	append_field(buf, start, "converged");
	appendStringInfoString(buf, (m->flags & MODEL_CONVERGED) ? "true" : "false");
	if (m->fit.own_weight != 1)
	{
		append_field(buf, start, "weight");
		append_double(buf, m->fit.own_weight);
	}
	append_field(buf, start, "clv");
	appendStringInfo(buf, "%d", m->fit.fitted_by);
}

static void
append_known(StringInfo buf, double value)
{
	if (isnan(value))
		appendStringInfoString(buf, "null");
	else
		append_double(buf, value);
}

/* The numbers of a RegressionRecord in the order in which they are stored. */
static const char *const record_names[MODEL_RECORD_NUMBERS] = {"df", "sigma", "r_squared", "statistic", "clusters"};

static void
append_record(StringInfo buf, int start, const ClvModel *m)
{
	const double *numbers = record_numbers(m);
	ErrorKind	errors = model_record(m).errors;

	if (errors != ERRORS_MODEL)
	{
		append_field(buf, start, "errors");
		appendStringInfoString(buf, error_kind_name(errors));
	}
	for (int i = 0; i < MODEL_RECORD_NUMBERS; i++)
		if (!isnan(numbers[i]))
		{
			append_field(buf, start, record_names[i]);
			append_double(buf, numbers[i]);
		}
}

PG_FUNCTION_INFO_V1(clv_model_out);
Datum
clv_model_out(PG_FUNCTION_ARGS)
{
	ClvModel   *m = PG_GETARG_MODEL(0);
	const ModelKind *kind = model_operations(m);
	const double *covariance = model_covariance(m);
	StringInfoData buf;
	int			start;

	initStringInfo(&buf);
	appendStringInfoString(&buf, kind->kind);
	start = buf.len;
	append_frame(&buf, start, &m->frame);
	if (m->flags & MODEL_FITTED)
		append_fit(&buf, start, m);
	if (m->flags & MODEL_PRIOR)
	{
		append_field(&buf, start, "prior");
		appendStringInfo(&buf, INT64_FORMAT, m->fit.n);
	}
	if (is_regression(kind))
		append_record(&buf, start, m);
	close_fields(&buf, start);

	for (int i = 0; i < m->nparams; i++)
	{
		appendStringInfo(&buf, "%c%s=", i == 0 ? '{' : ',', param_name(kind, model_covariates(m, kind), i));
		append_known(&buf, m->values[i]);
	}
	appendStringInfoChar(&buf, '}');
	for (int i = 0; covariance && i < m->nparams * m->nparams; i++)
	{
		appendStringInfoChar(&buf, i == 0 ? '{' : ',');
		append_double(&buf, covariance[i]);
	}
	if (covariance)
		appendStringInfoChar(&buf, '}');
	PG_RETURN_CSTRING(buf.data);
}

/* ---- text input -------------------------------------------------------------------------------- */

static bool
scan_int32(const char **cursor, int32 *value)
{
	int64		wide;

	if (!scan_int64(cursor, &wide) || wide < PG_INT32_MIN || wide > PG_INT32_MAX)
		return false;
	*value = (int32) wide;
	return true;
}

static bool
scan_fingerprint(const char **cursor, uint64 *value)
{
	const char *s = *cursor;

	*value = 0;
	for (int i = 0; i < FINGERPRINT_DIGITS; i++, s++)
	{
		if (*s >= '0' && *s <= '9')
			*value = *value << 4 | (uint64) (*s - '0');
		else if (*s >= 'a' && *s <= 'f')
			*value = *value << 4 | (uint64) (*s - 'a' + 10);
		else
			return false;
	}
	*cursor = s;
	return true;
}

/* The fields of append_fit, or of a prior; true also where there are none. Sets the flags it implies. */
static bool
scan_fit(const char **cursor, char *separator, FitRecord *fit, uint16 *flags)
{
	*flags = 0;
	memset(fit, 0, sizeof(*fit));
	if (scan_field(cursor, separator, "prior"))
	{
		*flags = MODEL_PRIOR;
		return scan_int64(cursor, &fit->n);
	}
	if (!scan_field(cursor, separator, "n"))
		return true;
	*flags = MODEL_FITTED;
	if (!scan_int64(cursor, &fit->n) ||
		!scan_field(cursor, separator, "distinct") || !scan_int64(cursor, &fit->n_distinct) ||
		!scan_field(cursor, separator, "rows") || !scan_fingerprint(cursor, &fit->fingerprint) ||
		!scan_field(cursor, separator, "log_likelihood") || !scan_double(cursor, &fit->log_likelihood) ||
		!scan_field(cursor, separator, "gradient") || !scan_double(cursor, &fit->gradient_norm) ||
		!scan_field(cursor, separator, "iterations") || !scan_int32(cursor, &fit->iterations) ||
		!scan_field(cursor, separator, "converged"))
		return false;
	if (scan_literal(cursor, "true"))
		*flags |= MODEL_CONVERGED;
	else if (!scan_literal(cursor, "false"))
		return false;
	fit->own_weight = 1;
	if (scan_field(cursor, separator, "weight") && !scan_double(cursor, &fit->own_weight))
		return false;
	return scan_field(cursor, separator, "clv") && scan_int32(cursor, &fit->fitted_by);
}

/* The fields of append_record; true also where there are none. */
static bool
scan_record(const char **cursor, char *separator, ErrorKind *errors, double *numbers)
{
	*errors = ERRORS_MODEL;
	if (scan_field(cursor, separator, "errors"))
	{
		do
			++*errors;
		while (*errors < ERROR_KINDS && !scan_literal(cursor, error_kind_name(*errors)));
		if (*errors == ERROR_KINDS)
			return false;
	}
	for (int i = 0; i < MODEL_RECORD_NUMBERS; i++)
	{
		numbers[i] = get_float8_nan();
		if (scan_field(cursor, separator, record_names[i]) && !scan_double(cursor, &numbers[i]))
			return false;
	}
	return true;
}

static bool
scan_known(const char **cursor, double *value)
{
	if (!scan_literal(cursor, "null"))
		return scan_double(cursor, value);
	*value = get_float8_nan();
	return true;
}

/* "{intercept=number,x1=number,...}": the kind's parameters, then those of regressors, one or more */
static bool
scan_regression(const char **cursor, const ModelKind *kind, double *values, int *nregressors)
{
	char		next[NAMEDATALEN];
	char		separator = '{';

	for (int i = 0; i < kind->nparams; i++, separator = ',')
	{
		snprintf(next, sizeof(next), "%c%s=", separator, kind->params[i]);
		if (!scan_literal(cursor, next) || !scan_known(cursor, values++))
			return false;
	}
	for (*nregressors = 0; *nregressors < ROWS_MAX_REGRESSORS; ++*nregressors, separator = ',')
	{
		snprintf(next, sizeof(next), "%cx%d=", separator, *nregressors + 1);
		if (!scan_literal(cursor, next))
			break;
		if (!scan_known(cursor, values++))
			return false;
	}
	return *nregressors > 0 && scan_literal(cursor, "}");
}

/* "NAME_1=number,...,NAME_n=number" behind a comma each, for as many as there are and may be */
static bool
scan_effects(const char **cursor, const char *name, double *values, int *n)
{
	char		next[NAMEDATALEN];

	for (*n = 0; *n < ROWS_MAX_COVARIATES; ++*n)
	{
		snprintf(next, sizeof(next), ",%s_%d=", name, *n + 1);
		if (!scan_literal(cursor, next))
			return true;
		if (!scan_double(cursor, &values[*n]))
			return false;
	}
	return true;
}

/* "{r=number,...}": the kind's parameters, then the effects of covariates, as many on purchases as on dropout */
static bool
scan_parameters(const char **cursor, const ModelKind *kind, double *values, int *ncovariates)
{
	int			ndropout;

	if (is_regression(kind))
		return scan_regression(cursor, kind, values, ncovariates);
	*ncovariates = 0;
	for (int i = 0; i < kind->nparams; i++)
		if (!scan_literal(cursor, i == 0 ? "{" : ",") || !scan_literal(cursor, kind->params[i]) ||
			!scan_literal(cursor, "=") || !scan_double(cursor, &values[i]))
			return false;
	if (kind->covariates != COVARIATES_NONE)
	{
		values += kind->nparams;
		if (!scan_effects(cursor, "purchase", values, ncovariates) ||
			!scan_effects(cursor, "dropout", values + *ncovariates, &ndropout) || ndropout != *ncovariates)
			return false;
	}
	return scan_literal(cursor, "}");
}

/* "{number,number,...}" */
static bool
scan_matrix(const char **cursor, double *values, int n)
{
	for (int i = 0; i < n; i++)
		if (!scan_literal(cursor, i == 0 ? "{" : ",") || !scan_double(cursor, &values[i]))
			return false;
	return scan_literal(cursor, "}");
}

static ClvModel *
parse_model(const char **cursor)
{
	char		name[NAMEDATALEN];
	size_t		len = strcspn(*cursor, "({");
	const ModelKind *kind;
	ClvModel   *m;
	Frame		frame;
	FitRecord	fit;
	uint16		flags;
	int			ncovariates;
	int			nparams;
	char		separator = '(';
	double		values[FIT_MAX_PARAMS + FIT_MAX_PARAMS * FIT_MAX_PARAMS];
	double		numbers[MODEL_RECORD_NUMBERS];
	ErrorKind	errors = ERRORS_MODEL;

	strlcpy(name, *cursor, Min(len + 1, sizeof(name)));
	kind = model_kind_by_name(name);
	if (kind == NULL)
		return NULL;
	*cursor += len;
	if (!scan_frame(cursor, &separator, &frame) || !scan_fit(cursor, &separator, &fit, &flags) ||
		(is_regression(kind) && !scan_record(cursor, &separator, &errors, numbers)) ||
		!scan_fields_end(cursor, separator) || !scan_parameters(cursor, kind, values, &ncovariates))
		return NULL;
	nparams = kind->nparams + (is_regression(kind) ? 1 : 2) * ncovariates;
	if (**cursor == '{')
	{
		if (!scan_matrix(cursor, values + nparams, nparams * nparams))
			return NULL;
		flags |= MODEL_HAS_COVARIANCE;
	}
	if (**cursor != '\0')
		return NULL;
	m = new_model(kind, ncovariates, &frame, flags & MODEL_HAS_COVARIANCE);
	m->flags = flags | errors << MODEL_ERRORS_SHIFT;
	m->fit = fit;
	memcpy(m->values, values, (nparams + (model_covariance(m) ? nparams * nparams : 0)) * sizeof(double));
	if (is_regression(kind))
		memcpy(record_numbers(m), numbers, sizeof(numbers));
	return m;
}

PG_FUNCTION_INFO_V1(clv_model_in);
Datum
clv_model_in(PG_FUNCTION_ARGS)
{
	const char *input = PG_GETARG_CSTRING(0);
	const char *cursor = input;
	ClvModel   *m = parse_model(&cursor);
	const char *problem;

	if (m == NULL)
		ereturn(fcinfo->context, (Datum) 0,
				(errcode(ERRCODE_INVALID_TEXT_REPRESENTATION),
				 errmsg("invalid input syntax for type %s", "clv_model"),
				 errdetail("Unexpected text at position %d: \"%s\".", (int) (cursor - input) + 1, excerpt(cursor)),
				 errhint("A model reads like bgnbd(unit=week){r=0.24,alpha=4.41,a=0.79,b=2.43}; "
						 "bgnbd_model() builds one.")));
	problem = model_problem(m);
	if (problem)
		ereturn(fcinfo->context, (Datum) 0,
				(errcode(ERRCODE_INVALID_TEXT_REPRESENTATION),
				 errmsg("invalid value of type %s", "clv_model"), errdetail("Not valid: %s.", problem),
				 errhint("Functions such as bgnbd_model() build a model from parameters.")));
	PG_RETURN_POINTER(m);
}

/* ---- binary ------------------------------------------------------------------------------------ */

PG_FUNCTION_INFO_V1(clv_model_send);
Datum
clv_model_send(PG_FUNCTION_ARGS)
{
	ClvModel   *m = PG_GETARG_MODEL(0);
	int			nvalues = (VARSIZE(m) - offsetof(ClvModel, values)) / sizeof(double);
	StringInfoData buf;

	pq_begintypsend(&buf);
	pq_sendint16(&buf, m->version);
	pq_sendint16(&buf, m->flags);
	pq_sendint32(&buf, m->code);
	pq_sendint32(&buf, m->nparams);
	send_frame(&buf, &m->frame);
	pq_sendint64(&buf, m->fit.n);
	pq_sendint64(&buf, m->fit.n_distinct);
	pq_sendint64(&buf, m->fit.fingerprint);
	pq_sendfloat8(&buf, m->fit.log_likelihood);
	pq_sendfloat8(&buf, m->fit.gradient_norm);
	pq_sendfloat8(&buf, m->fit.own_weight);
	pq_sendint32(&buf, m->fit.iterations);
	pq_sendint32(&buf, m->fit.fitted_by);
	for (int i = 0; i < nvalues; i++)
		pq_sendfloat8(&buf, m->values[i]);
	PG_RETURN_BYTEA_P(pq_endtypsend(&buf));
}

/* How many covariates, or regressors, a model of so many parameters has; false where there is no such model. */
static bool
covariates_of_count(const ModelKind *kind, int nparams, int *ncovariates)
{
	int			each = is_regression(kind) ? 1 : 2;
	int			most = is_regression(kind) ? ROWS_MAX_REGRESSORS
		: kind->covariates != COVARIATES_NONE ? ROWS_MAX_COVARIATES : 0;

	if (nparams < kind->nparams || nparams > kind->nparams + each * most)
		return false;
	*ncovariates = (nparams - kind->nparams) / each;
	return nparams == kind->nparams + each * *ncovariates && !(is_regression(kind) && *ncovariates == 0);
}

PG_FUNCTION_INFO_V1(clv_model_recv);
Datum
clv_model_recv(PG_FUNCTION_ARGS)
{
	StringInfo	buf = (StringInfo) PG_GETARG_POINTER(0);
	int			version = pq_getmsgint(buf, 2);
	int			flags = pq_getmsgint(buf, 2);
	int			code = pq_getmsgint(buf, 4);
	int			nparams = pq_getmsgint(buf, 4);
	const ModelKind *kind = model_kind_by_code(code);
	Frame		frame;
	ClvModel   *m;
	int			ncovariates;
	int			nvalues;
	const char *problem;

	if (version != MODEL_VERSION)
		invalid_binary("clv_model", "unknown version");
	if (kind == NULL)
		invalid_binary("clv_model", "unknown kind of model");
	if (!covariates_of_count(kind, nparams, &ncovariates))
		invalid_binary("clv_model", "impossible number of parameters");
	if (flags & ~(MODEL_FITTED | MODEL_CONVERGED | MODEL_HAS_COVARIANCE | MODEL_PRIOR |
				  (is_regression(kind) ? MODEL_ERRORS : 0)))
		invalid_binary("clv_model", "unknown flags");
	recv_frame(buf, &frame);
	m = new_model(kind, ncovariates, &frame, flags & MODEL_HAS_COVARIANCE);
	m->flags = flags;
	m->fit.n = pq_getmsgint64(buf);
	m->fit.n_distinct = pq_getmsgint64(buf);
	m->fit.fingerprint = pq_getmsgint64(buf);
	m->fit.log_likelihood = pq_getmsgfloat8(buf) + 0.0;	/* -0 is 0 */
	m->fit.gradient_norm = pq_getmsgfloat8(buf) + 0.0;
	m->fit.own_weight = pq_getmsgfloat8(buf) + 0.0;
	m->fit.iterations = pq_getmsgint(buf, 4);
	m->fit.fitted_by = pq_getmsgint(buf, 4);
	nvalues = (VARSIZE(m) - offsetof(ClvModel, values)) / sizeof(double);
	for (int i = 0; i < nvalues; i++)
		m->values[i] = pq_getmsgfloat8(buf);
	canonicalize_model(m);
	pq_getmsgend(buf);
	problem = model_problem(m);
	if (problem)
		invalid_binary("clv_model", problem);
	PG_RETURN_POINTER(m);
}

/* ---- JSON -------------------------------------------------------------------------------------- */

static void
append_json_key(StringInfo buf, const char *key)
{
	appendStringInfo(buf, "%s\"%s\":", buf->data[buf->len - 1] == '{' ? "" : ",", key);
}

static void
append_json_text(StringInfo buf, const char *key, const char *value)
{
	append_json_key(buf, key);
	if (value)
		appendStringInfo(buf, "\"%s\"", value);
	else
		appendStringInfoString(buf, "null");
}

static void
append_json_day(StringInfo buf, const char *key, DateADT day)
{
	StringInfoData text;

	initStringInfo(&text);
	if (day != DAY_NONE)
		append_day(&text, day);
	append_json_text(buf, key, day != DAY_NONE ? text.data : NULL);
}

static void
append_json_number(StringInfo buf, const char *key, double value)
{
	append_json_key(buf, key);
	append_double(buf, value);
}

static void
append_json_fit(StringInfo buf, const ClvModel *m)
{
	append_json_day(buf, "as_of", m->frame.as_of);
	append_json_day(buf, "first_day", m->frame.first_day);
	append_json_day(buf, "last_day", m->frame.last_day);
	append_json_number(buf, "n", m->fit.n);
	append_json_number(buf, "n_distinct", m->fit.n_distinct);
	append_json_number(buf, "n_skipped", m->frame.n_skipped);
	append_json_text(buf, "rows", psprintf(FINGERPRINT_FORMAT, (unsigned long long) m->fit.fingerprint));
	append_json_number(buf, "log_likelihood", m->fit.log_likelihood);
	append_json_key(buf, "converged");
	appendStringInfoString(buf, (m->flags & MODEL_CONVERGED) ? "true" : "false");
	append_json_number(buf, "iterations", m->fit.iterations);
	append_json_number(buf, "gradient_norm", m->fit.gradient_norm);
	append_json_number(buf, "own_weight", m->fit.own_weight);
	append_json_text(buf, "fitted_by", version_text(m->fit.fitted_by));
}

static void
append_json_record(StringInfo buf, const ClvModel *m)
{
	append_json_text(buf, "errors", error_kind_name(model_record(m).errors));
	for (int i = 0; i < MODEL_RECORD_NUMBERS; i++)
	{
		append_json_key(buf, record_names[i]);
		append_known(buf, record_numbers(m)[i]);
	}
}

PG_FUNCTION_INFO_V1(clv_model_to_jsonb);
Datum
clv_model_to_jsonb(PG_FUNCTION_ARGS)
{
	ClvModel   *m = PG_GETARG_MODEL(0);
	const ModelKind *kind = model_operations(m);
	const double *covariance = model_covariance(m);
	int			k = m->nparams;
	StringInfoData buf;

	initStringInfo(&buf);
	appendStringInfoChar(&buf, '{');
	append_json_text(&buf, "kind", kind->kind);
	append_json_text(&buf, "unit", unit_name(m->frame.unit_days));
	append_json_key(&buf, "parameters");
	appendStringInfoChar(&buf, '{');
	for (int i = 0; i < k; i++)
	{
		append_json_key(&buf, param_name(kind, model_covariates(m, kind), i));
		append_known(&buf, m->values[i]);
	}
	appendStringInfoChar(&buf, '}');
	if (m->flags & MODEL_FITTED)
		append_json_fit(&buf, m);
	if (m->flags & MODEL_PRIOR)
		append_json_number(&buf, "cohorts", m->fit.n);
	if (is_regression(kind))
		append_json_record(&buf, m);
	if (covariance)
	{
		append_json_key(&buf, is_regression(kind) ? "covariance" : "covariance_of_logs");
		for (int i = 0; i < k * k; i++)
		{
			appendStringInfoString(&buf, i == 0 ? "[[" : i % k == 0 ? "],[" : ",");
			append_double(&buf, covariance[i]);
		}
		appendStringInfoString(&buf, "]]");
	}
	appendStringInfoChar(&buf, '}');
	return DirectFunctionCall1(jsonb_in, CStringGetDatum(buf.data));
}
