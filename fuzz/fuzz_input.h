/*
 * fuzz_input.h - numbers, customers and rows from a fuzzer's bytes, for the targets of src/math.
 */
#ifndef CLV_FUZZ_INPUT_H
#define CLV_FUZZ_INPUT_H

#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "math/model_kind.h"

#define ROUNDING 1e-9			/* relative */
#define NOTHING 1e-300			/* a smaller value may come out as 0 */
#ifndef MAX_ROWS
#define MAX_ROWS 24
#endif

#define CHECK(condition) \
	do \
	{ \
		if (!(condition)) \
		{ \
			fprintf(stderr, "%s:%d: not true: %s\n", __FILE__, __LINE__, #condition); \
			abort(); \
		} \
	} while (0)

typedef struct Bytes
{
	const uint8_t *at;
	const uint8_t *end;
} Bytes;

static inline unsigned
next_byte(Bytes *in)
{
	return in->at < in->end ? *in->at++ : 0;
}

static inline double
next_fraction(Bytes *in)
{
	unsigned	high = next_byte(in);

	return (high * 256 + next_byte(in)) / 65535.0;
}

/* mostly log-uniform between lo and hi, sometimes next to 1, where formulas have poles */
static inline double
next_positive(Bytes *in, double lo, double hi)
{
	static const double poles[] = {1, 1 + 1e-14, 1 - 1e-14, 1 + 1e-9, 2, 3, 0.5, 10};
	unsigned	kind = next_byte(in);

	if (kind < 64)
		return poles[kind % (sizeof(poles) / sizeof(poles[0]))];
	return lo * exp(next_fraction(in) * log(hi / lo));
}

static inline double
next_count(Bytes *in)
{
	unsigned	kind = next_byte(in);

	return kind < 128 ? kind % 8 : floor(exp(next_fraction(in) * log(kind < 240 ? 100 : 4000)));
}

/* Any model of customers that the table holds. */
static inline const ModelKind *
next_model(Bytes *in)
{
	const ModelKind *models[256];
	int			n = 0;

	for (int code = 0; code < 256; code++)
	{
		models[n] = model_kind_by_code(code);
		if (models[n] != NULL && models[n]->response == NULL)
			n++;
	}
	return models[next_byte(in) % n];
}

static inline double
next_phases(Bytes *in)
{
	return 1 + next_byte(in) % 12;
}

static inline void
next_theta(Bytes *in, const ModelKind *model, double lo, double hi, double *theta)
{
	for (int i = 0; i < model->nparams; i++)
		theta[i] = next_positive(in, lo, hi);
	if (model->counts_phases)
		theta[model->nparams - 1] = next_phases(in);
}

/* A customer of a model of ROWS_TIMING or ROWS_OPPORTUNITIES. */
static inline Customer
next_customer(Bytes *in, RowKind reads)
{
	Customer	c = {next_count(in), 0, 0};
	unsigned	kind = next_byte(in);

	if (reads == ROWS_OPPORTUNITIES)
	{
		c.t_x = c.x > 0 ? c.x + next_count(in) : 0;
		c.t_cal = c.t_x + (kind >= 192 ? 0 : next_count(in));
		return c;
	}
	if (c.x > 0 || kind % 4 > 0)
		c.t_cal = kind % 2 ? 1 + next_byte(in) / 7.0 : next_positive(in, 1e-3, 1e4);
	if (c.x > 0)
		c.t_x = kind >= 192 ? c.t_cal : c.t_cal * fmax(next_fraction(in), 1e-3);
	return c;
}

/* The values of a row of its kind. */
static inline void
next_row(Bytes *in, RowKind kind, double *row)
{
	Customer	c;

	switch (kind)
	{
		case ROWS_SPEND:
			row[0] = 1 + next_count(in);
			row[1] = next_positive(in, 0.01, 1e5);
			break;
		case ROWS_RENEWALS:
			row[2] = next_byte(in) % 2;
			row[0] = next_count(in);
			row[1] = row[0] + row[2] + next_count(in);
			break;
		default:
			c = next_customer(in, kind);
			row[0] = c.x;
			row[1] = c.t_x;
			row[2] = c.t_cal;
	}
}

typedef struct FuzzRows
{
	Rows		rows;
	double		data[MAX_ROWS * (ROWS_MAX_COLUMNS + 1)];
} FuzzRows;

static inline int
compare_columns(const double *a, const double *b, int n)
{
	for (int i = 0; i < n; i++)
		if (a[i] != b[i])
			return a[i] < b[i] ? -1 : 1;
	return 0;
}

/* Put a row, covariates before values and its count last, where it belongs; equal rows are counted. */
static inline void
insert_row(FuzzRows *to, const double *row)
{
	int			columns = to->rows.ncovariates + to->rows.ncols;
	size_t		width = columns + 1;
	size_t		i = 0;

	while (i < to->rows.n && compare_columns(to->data + i * width, row, columns) < 0)
		i++;
	if (i < to->rows.n && compare_columns(to->data + i * width, row, columns) == 0)
	{
		to->data[i * width + columns] += row[columns];
		return;
	}
	memmove(to->data + (i + 1) * width, to->data + i * width, (to->rows.n - i) * width * sizeof(double));
	memcpy(to->data + i * width, row, width * sizeof(double));
	to->rows.n++;
}

/* Rows as a sample has them: distinct, sorted, with counts. log_gaps is one that purchases can have. */
static inline void
next_rows(Bytes *in, RowKind kind, int ncovariates, FuzzRows *to)
{
	int			ncols = kind == ROWS_SPEND ? 2 : 3;
	size_t		n = 1 + next_byte(in) % MAX_ROWS;
	double		most = 0;

	to->rows = (Rows) {0, ncols, to->data, ncovariates, NAN};
	for (size_t i = 0; i < n; i++)
	{
		double		row[ROWS_MAX_COLUMNS + 1];
		double	   *values = row + ncovariates;

		for (int j = 0; j < ncovariates; j++)
			row[j] = next_byte(in) % 2 ? next_byte(in) % 2 : (next_fraction(in) - 0.5) * 8;
		next_row(in, kind, values);
		values[ncols] = 1 + next_byte(in) * next_byte(in);
		if (kind == ROWS_TIMING && values[0] > 0)
			most += values[ncols] * values[0] * log(values[1] / values[0]);
		insert_row(to, row);
	}
	if (kind == ROWS_TIMING && next_byte(in) % 8 > 0)
		to->rows.log_gaps = most - next_fraction(in) * fabs(most);
}

#endif
