/*
 * rows.h - the data every iterative fit reads: distinct rows with counts.
 *
 * Plain C: nothing in include/math or src/math may include a PostgreSQL header.
 */
#ifndef CLV_MATH_ROWS_H
#define CLV_MATH_ROWS_H

#include <stddef.h>

/* What a row holds. The numbers are stored on disk: append, never renumber. */
typedef enum RowKind
{
	ROWS_TIMING = 1,			/* x, t_x, t_cal: repeat purchases, time of the last, age */
	ROWS_SPEND = 2,				/* x, monetary_value: repeat purchases and their mean amount */
	ROWS_CASH_FLOW = 3			/* days, amount, annual_discount_rate: one dated payment */
} RowKind;

#define ROWS_MAX_COLUMNS 3

/*
 * n rows of ncols values each, every row followed by its count (a whole number held as a double),
 * so a row occupies ncols + 1 doubles. Rows are distinct and sorted by their columns from left to
 * right, hence rows of equal x are neighbours and what depends on x alone is computed once.
 */
typedef struct Rows
{
	size_t		n;
	int			ncols;
	const double *data;
} Rows;

static inline const double *
rows_at(const Rows *rows, size_t i)
{
	return rows->data + i * (size_t) (rows->ncols + 1);
}

static inline double
row_count(const Rows *rows, const double *row)
{
	return row[rows->ncols];
}

/* How many customers the rows stand for. */
static inline double
rows_total(const Rows *rows)
{
	double		total = 0;

	for (size_t i = 0; i < rows->n; i++)
		total += row_count(rows, rows_at(rows, i));
	return total;
}

#endif
