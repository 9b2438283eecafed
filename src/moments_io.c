/*
 * moments_io.c - text and binary form of clv_moments.
 *
 * Text: the form, what is counted in parentheses where it is not 0, and the numbers as shortest exact decimals.
 *   rows(x=2,dropped=1){1:0.5:2:7,1:3:4:9}            sorted rows, weight:x1:...:xk:y
 *   triangle(x=2,n=100){100:...}                      the numbers of math/moments.h, in their order
 *   within(x=2,n=100,groups=4){...}                   the same of what is left within groups
 *   clusters(x=2){rows{1:0.5:2:7},triangle(n=9){...}} each by itself
 * Input takes the stored form only. Binary: version (uint16), form and number of regressors (uint8 each), n, dropped
 * and groups (int64 each), then the doubles of the value.
 */
#include "moments.h"

#include <math.h>

#include "libpq/pqformat.h"

static const char *const form_names[] = {"rows", "triangle", "within", "clusters"};

typedef struct Parser
{
	const char *text;
	const char *cursor;
	struct Node *escontext;		/* where soft errors go, or NULL */
	StringInfoData numbers;		/* doubles */
	ClvMoments	head;			/* what they belong to */
} Parser;

/* ---- text input -------------------------------------------------------------------------------- */

static bool
syntax_error(Parser *p, const char *expected)
{
	REJECT(p,
		   (errcode(ERRCODE_INVALID_TEXT_REPRESENTATION),
			errmsg("invalid input syntax for type %s", "clv_moments"),
			errdetail("Expected %s at character %d.", expected, (int) (p->cursor - p->text) + 1),
			errhint("Moments look like rows(x=2){1:0.5:2:7}; the aggregate clv_moments(y, x) makes them.")));
}

static bool
value_error(Parser *p, const char *problem)
{
	REJECT(p,
		   (errcode(ERRCODE_INVALID_TEXT_REPRESENTATION),
			errmsg("invalid value of type %s", "clv_moments"), errdetail("Not valid: %s.", problem),
			errhint("The aggregate clv_moments(y, x) makes moments of rows.")));
}

static bool
parse_form(Parser *p, int *form)
{
	for (*form = 0; *form < lengthof(form_names); (*form)++)
		if (scan_literal(&p->cursor, form_names[*form]))
			return true;
	return syntax_error(p, "rows, triangle, within or clusters");
}

/* The counts in parentheses, each at most once and in this order; those that are 0 are left out. */
static bool
parse_counts(Parser *p, const char *const *names, int64 *const *counts, int n)
{
	bool		first = true;

	if (!scan_literal(&p->cursor, "("))
		return true;
	for (int i = 0; i < n; i++)
	{
		const char *before = p->cursor;

		if ((first || scan_literal(&p->cursor, ",")) && scan_literal(&p->cursor, names[i]) &&
			scan_literal(&p->cursor, "="))
		{
			if (!scan_int64(&p->cursor, counts[i]) || *counts[i] <= 0 || *counts[i] > (int64) MAX_COUNT)
				return syntax_error(p, "a positive number");
			first = false;
		}
		else
			p->cursor = before;
	}
	if (first || !scan_literal(&p->cursor, ")"))
		return syntax_error(p, "a count, in the order x, dropped, n, groups, or \")\"");
	return true;
}

static void
keep_number(Parser *p, double number)
{
	appendBinaryStringInfo(&p->numbers, (const char *) &number, sizeof(number));
}

static bool
parse_numbers(Parser *p, Size n)
{
	for (Size i = 0; i < n; i++)
	{
		double		number;

		if (i > 0 && !scan_literal(&p->cursor, ":"))
			return syntax_error(p, "\":\"");
		if (!scan_double(&p->cursor, &number))
			return syntax_error(p, "a finite number");
		keep_number(p, number);
	}
	return true;
}

/* {row,row}, as many as there are, or {} */
static bool
parse_rows(Parser *p, int64 *n)
{
	*n = 0;
	if (!scan_literal(&p->cursor, "{"))
		return syntax_error(p, "\"{\"");
	if (scan_literal(&p->cursor, "}"))
		return true;
	do
	{
		if (!parse_numbers(p, moments_row_size(p->head.nx)))
			return false;
		(*n)++;
	} while (scan_literal(&p->cursor, ","));
	return scan_literal(&p->cursor, "}") || syntax_error(p, "\",\" or \"}\"");
}

static bool
parse_triangle(Parser *p)
{
	if (!scan_literal(&p->cursor, "{"))
		return syntax_error(p, "\"{\"");
	if (p->head.nx > 0 && !parse_numbers(p, moments_triangle_size(p->head.nx)))
		return false;
	return scan_literal(&p->cursor, "}") || syntax_error(p, "\"}\"");
}

/* One cluster: its number of rows, negative before a triangle, and its numbers. */
static bool
parse_cluster(Parser *p)
{
	static const char *const name = "n";
	int64		n = 0;
	int64	   *const count = &n;
	int			at = p->numbers.len;
	int			form;
	double		first;

	keep_number(p, 0);
	if (!parse_form(p, &form) || !parse_counts(p, &name, &count, 1))
		return false;
	if (form > MOMENTS_TRIANGLE)
		return syntax_error(p, "rows or triangle");
	if (form == MOMENTS_TRIANGLE ? !parse_triangle(p) : !parse_rows(p, &n))
		return false;
	first = form == MOMENTS_TRIANGLE ? -(double) n : (double) n;
	memcpy(p->numbers.data + at, &first, sizeof(first));
	p->head.n += n;
	p->head.groups++;
	return true;
}

static bool
parse_clusters(Parser *p)
{
	double		used;

	p->head.n = p->head.groups = 0;
	keep_number(p, 0);
	if (!scan_literal(&p->cursor, "{"))
		return syntax_error(p, "\"{\"");
	if (!scan_literal(&p->cursor, "}"))
	{
		do
		{
			if (!parse_cluster(p))
				return false;
		} while (scan_literal(&p->cursor, ","));
		if (!scan_literal(&p->cursor, "}"))
			return syntax_error(p, "\",\" or \"}\"");
	}
	used = (double) (p->numbers.len / sizeof(double));
	memcpy(p->numbers.data, &used, sizeof(used));
	return true;
}

static bool
parse_moments(Parser *p)
{
	static const char *const names[] = {"x", "dropped", "n", "groups"};
	int64		nx = 0;
	int64	   *const counts[] = {&nx, &p->head.n_dropped, &p->head.n, &p->head.groups};
	int			form;
	bool		parsed;

	/* what rows and clusters have no need of, and a triangle has not */
	if (!parse_form(p, &form) ||
		!parse_counts(p, names, counts, form == MOMENTS_WITHIN ? 4 : form == MOMENTS_TRIANGLE ? 3 : 2))
		return false;
	if (nx > ROWS_MAX_REGRESSORS)
		return value_error(p, "the number of regressors is out of range");
	p->head.form = form;
	p->head.nx = nx;
	switch (form)
	{
		case MOMENTS_ROWS:
			parsed = parse_rows(p, &p->head.n);
			break;
		case MOMENTS_CLUSTERS:
			parsed = parse_clusters(p);
			break;
		default:
			parsed = parse_triangle(p);
	}
	return parsed && (*p->cursor == '\0' || syntax_error(p, "the end"));
}

/* A value of this header and these doubles; checked by the caller. */
static ClvMoments *
value_of(const ClvMoments *head, const char *doubles, Size bytes)
{
	ClvMoments *m = palloc(offsetof(ClvMoments, data) + bytes);

	*m = *head;
	SET_VARSIZE(m, offsetof(ClvMoments, data) + bytes);
	memcpy(m->data, doubles, bytes);
	return m;
}

PG_FUNCTION_INFO_V1(clv_moments_in);
Datum
clv_moments_in(PG_FUNCTION_ARGS)
{
	char	   *text = PG_GETARG_CSTRING(0);
	Parser		p = {.text = text, .cursor = text, .escontext = fcinfo->context, .head.version = MOMENTS_VERSION};
	ClvMoments *m;
	const char *problem;

	initStringInfo(&p.numbers);
	if (!parse_moments(&p))
		PG_RETURN_NULL();
	m = value_of(&p.head, p.numbers.data, p.numbers.len);
	problem = moments_problem(m);
	if (problem != NULL && !value_error(&p, problem))
		PG_RETURN_NULL();
	PG_RETURN_POINTER(m);
}

/* ---- text output ------------------------------------------------------------------------------- */

static void
append_count(StringInfo buf, int start, const char *name, int64 count)
{
	if (count == 0)
		return;
	appendStringInfo(buf, "%s%s=" INT64_FORMAT, buf->len == start ? "(" : ",", name, count);
}

static void
append_numbers(StringInfo buf, const double *numbers, Size n)
{
	for (Size i = 0; i < n; i++)
	{
		if (i > 0)
			appendStringInfoChar(buf, ':');
		append_double(buf, numbers[i]);
	}
}

static void
append_view(StringInfo buf, const Moments *view)
{
	appendStringInfoChar(buf, '{');
	if (view->triangle != NULL)
		append_numbers(buf, view->triangle, moments_triangle_size(view->nx));
	for (Size i = 0; i < view->nrows; i++)
	{
		if (i > 0)
			appendStringInfoChar(buf, ',');
		append_numbers(buf, view->rows + i * moments_row_size(view->nx), moments_row_size(view->nx));
	}
	appendStringInfoChar(buf, '}');
}

static void
append_clusters(StringInfo buf, const ClvMoments *m)
{
	Size		at = 0;
	Moments		cluster;

	appendStringInfoChar(buf, '{');
	for (bool first = true; moments_next_cluster(m, &at, &cluster); first = false)
	{
		if (!first)
			appendStringInfoChar(buf, ',');
		if (cluster.triangle != NULL)
			appendStringInfo(buf, "%s(n=%.0f)", form_names[MOMENTS_TRIANGLE], cluster.n);
		else
			appendStringInfoString(buf, form_names[MOMENTS_ROWS]);
		append_view(buf, &cluster);
	}
	appendStringInfoChar(buf, '}');
}

PG_FUNCTION_INFO_V1(clv_moments_out);
Datum
clv_moments_out(PG_FUNCTION_ARGS)
{
	const ClvMoments *m = PG_GETARG_STORED_MOMENTS(0);
	bool		triangle = m->form == MOMENTS_TRIANGLE || m->form == MOMENTS_WITHIN;
	StringInfoData buf;
	Moments		view;
	int			start;

	initStringInfo(&buf);
	appendStringInfoString(&buf, form_names[m->form]);
	start = buf.len;
	append_count(&buf, start, "x", m->nx);
	append_count(&buf, start, "dropped", m->n_dropped);
	append_count(&buf, start, "n", triangle ? m->n : 0);
	append_count(&buf, start, "groups", triangle ? m->groups : 0);
	if (buf.len > start)
		appendStringInfoChar(&buf, ')');
	if (m->form == MOMENTS_CLUSTERS)
		append_clusters(&buf, m);
	else if (m->n == 0)
		appendStringInfoString(&buf, "{}");
	else
	{
		view = moments_view(m);
		append_view(&buf, &view);
	}
	PG_RETURN_CSTRING(buf.data);
}

/* ---- binary ------------------------------------------------------------------------------------ */

PG_FUNCTION_INFO_V1(clv_moments_recv);
Datum
clv_moments_recv(PG_FUNCTION_ARGS)
{
	StringInfo	buf = (StringInfo) PG_GETARG_POINTER(0);
	ClvMoments	head = {.version = pq_getmsgint(buf, sizeof(uint16))};
	ClvMoments *m;
	Size		doubles;
	const char *problem;

	if (head.version != MOMENTS_VERSION)
		invalid_binary("clv_moments", "the version is unknown");
	head.form = pq_getmsgint(buf, sizeof(uint8));
	head.nx = pq_getmsgint(buf, sizeof(uint8));
	head.n = pq_getmsgint64(buf);
	head.n_dropped = pq_getmsgint64(buf);
	head.groups = pq_getmsgint64(buf);
	doubles = (buf->len - buf->cursor) / sizeof(double);
	m = value_of(&head, buf->data + buf->cursor, doubles * sizeof(double));
	for (Size i = 0; i < doubles; i++)
		m->data[i] = pq_getmsgfloat8(buf);
	pq_getmsgend(buf);

	problem = moments_problem(m);
	if (problem != NULL)
		invalid_binary("clv_moments", problem);
	PG_RETURN_POINTER(m);
}

PG_FUNCTION_INFO_V1(clv_moments_send);
Datum
clv_moments_send(PG_FUNCTION_ARGS)
{
	const ClvMoments *m = PG_GETARG_STORED_MOMENTS(0);
	StringInfoData buf;

	pq_begintypsend(&buf);
	pq_sendint16(&buf, m->version);
	pq_sendint8(&buf, m->form);
	pq_sendint8(&buf, m->nx);
	pq_sendint64(&buf, m->n);
	pq_sendint64(&buf, m->n_dropped);
	pq_sendint64(&buf, m->groups);
	for (Size i = 0; i < (VARSIZE(m) - offsetof(ClvMoments, data)) / sizeof(double); i++)
		pq_sendfloat8(&buf, m->data[i]);
	PG_RETURN_BYTEA_P(pq_endtypsend(&buf));
}
