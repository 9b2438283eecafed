/*
 * fuzz_samples.h - small samples of the kinds that regressions, survival and impact read, from a fuzzer's bytes: ties,
 * constants, collinear columns, large offsets, wild scales.
 */
#ifndef CLV_FUZZ_SAMPLES_H
#define CLV_FUZZ_SAMPLES_H

#define MAX_ROWS 40
#include "fuzz_input.h"

#include "math/hazard.h"
#include "math/inference.h"

#define MOST_X 6
#define COARSE 1e-6				/* relative, of what went through a fit of tame numbers */

/* ---- numbers and rows -------------------------------------------------------------------------- */

static inline bool
near(double a, double b, double tolerance)
{
	return a == b || fabs(a - b) <= tolerance * fmax(fabs(a), fabs(b)) + NOTHING;
}

#define CHECK_PROBABILITY(p) CHECK((p) >= 0 && (p) <= 1)

static inline double
next_conf(Bytes *in)
{
	static const double usual[] = {0.95, 0.5, 0.999, 1e-6};

	return usual[next_byte(in) % 4];
}

/* Any double but NAN and the infinite ones. */
static inline double
next_wild(Bytes *in)
{
	static const double edges[] = {0, 1, -1, 1e308, -1e308, 5e-324, 1e-308, 1e100, 1e-100, 0x1p53};
	unsigned	kind = next_byte(in);

	if (kind < 10)
		return edges[kind];
	return (next_fraction(in) - 0.5) * pow(10, (int) next_byte(in) * 2.4 - 306);
}

/* How the numbers of a column look. The first ones are tame: no digits are lost. */
typedef enum ColumnStyle
{
	COLUMN_BINARY, COLUMN_SMALL, COLUMN_CONSTANT, COLUMN_COPY, COLUMN_FRACTION,
	COLUMN_OFFSET, COLUMN_SCALED, COLUMN_WILD, COLUMN_STYLES
} ColumnStyle;

typedef struct Column
{
	ColumnStyle style;
	double		offset;
	double		scale;
} Column;

static inline Column
next_column(Bytes *in, bool tame)
{
	Column		c = {next_byte(in) % (tame ? COLUMN_OFFSET : COLUMN_STYLES), next_byte(in) % 5, 1};

	if (c.style == COLUMN_OFFSET || c.style == COLUMN_SCALED)
		c.offset = pow(10, next_byte(in) % 16);
	if (c.style == COLUMN_SCALED)
		c.scale = pow(10, (int) next_byte(in) - 128);
	return c;
}

static inline double
next_number(Bytes *in, const Column *c, const double *before, int nbefore)
{
	switch (c->style)
	{
		case COLUMN_BINARY:
			return next_byte(in) % 2;
		case COLUMN_SMALL:
			return next_byte(in) % 5 - 2.0;
		case COLUMN_CONSTANT:
			return c->offset;
		case COLUMN_COPY:
			return nbefore == 0 ? 1 : 2 * before[nbefore - 1] - before[0] + c->offset;
		case COLUMN_FRACTION:
			return next_fraction(in);
		case COLUMN_OFFSET:
			return c->offset + next_byte(in) % 4;
		case COLUMN_SCALED:
			return c->scale * (next_fraction(in) - 0.5);
		default:
			return next_wild(in);
	}
}

typedef struct Sample
{
	FuzzRows	data;
	bool		tame;
	bool		clustered;
	int			nx;
	double		n;
} Sample;

static inline void
next_survival(Bytes *in, bool tame, bool whole, double *values)
{
	unsigned	kind = next_byte(in);

	values[2] = kind % 2;
	values[0] = kind % 8 < 6 ? 0 : next_byte(in) % 8;
	values[1] = values[0] + 1 + next_byte(in) % 12;
	if (whole && kind > 252)
		values[1] = HAZARD_MOST_PERIODS - next_byte(in);
	if (tame || whole || kind < 128)
		return;
	values[1] = fmax(fabs(next_wild(in)), 1e-320);
	values[0] = kind < 192 ? 0 : kind < 224 ? values[1] * 0.5 * next_fraction(in) : nextafter(values[1], 0);
}

/* The last columns of a row of the kind. */
static inline void
next_values(Bytes *in, RowKind kind, const Sample *s, const Column *columns, bool whole, double *row, int leading)
{
	double	   *values = row + leading;
	int			nx = s->nx;

	switch (kind)
	{
		case ROWS_SURVIVAL:
			next_survival(in, s->tame, whole, values);
			break;
		case ROWS_PREDICTION:
			values[0] = columns[0].style < COLUMN_CONSTANT ? next_byte(in) % 11 / 10.0 : next_fraction(in);
			if (!s->tame)
				values[0] = fmin(fabs(next_wild(in)), 1);
			values[1] = next_byte(in) % 2;
			break;
		default:
			for (int i = 0; i < s->data.rows.ncols; i++)
			{
				values[i] = next_number(in, &columns[nx + i], row + leading - nx, nx + i);
				if (!isfinite(values[i]))
					values[i] = 0;
			}
	}
}

/* A sample of a kind, told without clusters; `whole` times of survival are periods. */
static inline void
next_sample(Bytes *in, RowKind kind, int ncols, int nx, bool clustered, bool whole, Sample *s)
{
	size_t		n = 1 + next_byte(in) % MAX_ROWS;
	unsigned	counts = next_byte(in);
	Column		columns[MOST_X + 3];
	int			leading = clustered + nx;

	s->tame = next_byte(in) % 4 > 0;
	s->clustered = clustered;
	s->nx = nx;
	s->n = 0;
	s->data.rows = (Rows) {0, ncols, s->data.data, leading, NAN};
	for (int i = 0; i < nx + ncols; i++)
		columns[i] = next_column(in, s->tame);
	for (size_t i = 0; i < n; i++)
	{
		double		row[ROWS_MAX_COLUMNS + 1];

		if (clustered)
			row[0] = next_byte(in) % 64 == 0 ? 0x1p53 : next_byte(in) % (1 + counts % 8);
		for (int j = 0; j < nx; j++)
		{
			row[clustered + j] = next_number(in, &columns[j], row + clustered, j);
			if (!isfinite(row[clustered + j]))
				row[clustered + j] = 0;
		}
		next_values(in, kind, s, columns, whole, row, leading);
		row[leading + ncols] = counts < 128 ? 1 : counts < 250 ? 1 + next_byte(in) % 5 :
			1 + pow(next_byte(in), kind == ROWS_SURVIVAL ? 2 : 5);
		s->n += row[leading + ncols];
		insert_row(&s->data, row);
	}
}

/* Ends a computation when it asks for the most-th time; never where that is 0. */
typedef struct Patience
{
	unsigned	most;
	unsigned	asked;
	bool		ended;
} Patience;

static inline bool
is_over(void *arg)
{
	Patience   *p = arg;

	/* as with a cancelled query, it stays so */
	p->asked++;
	p->ended = p->ended || p->asked == p->most;
	return p->ended;
}

static inline Patience
next_patience(Bytes *in)
{
	unsigned	kind = next_byte(in);

	return (Patience) {kind < 192 ? 0 : kind - 191};
}

/* An interval holds its estimate, and lies within the range of what is estimated. */
static inline void
check_estimate(double value, const Estimate *e, double low, double high)
{
	CHECK(isnan(e->std_error) || (isfinite(e->std_error) && e->std_error >= 0));
	CHECK(isnan(e->conf_low) || (e->conf_low <= value + ROUNDING * fabs(value) && e->conf_low >= low));
	CHECK(isnan(e->conf_high) || (e->conf_high >= value - ROUNDING * fabs(value) && e->conf_high <= high));
}

#endif
