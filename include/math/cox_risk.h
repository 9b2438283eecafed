/*
 * cox_risk.h - the sums over those at risk at each time of an event, which a Cox regression is made of.
 */
#ifndef CLV_MATH_COX_RISK_H
#define CLV_MATH_COX_RISK_H

#include <stdbool.h>

#include "math/cox.h"

#define RISK_MOST_SUMS (1 + ROWS_MAX_REGRESSORS + ROWS_MAX_REGRESSORS * (ROWS_MAX_REGRESSORS + 1) / 2)

/* A time of events. Rows are numbered from the latest tenure to the earliest, censored ones before events. */
typedef struct EventTime
{
	double		time;
	size_t		first;			/* the rows [first, end) have their event; none before them has a shorter tenure */
	size_t		end;
	size_t		removed;		/* so many of `leaving` began at that time or later: they are not at risk */
	double		events;			/* how many the rows stand for */
} EventTime;

/* What is kept of a row, as rows leave in no order: count exp(b'x) = weight 2^exponent; x centred and scaled. */
enum
{
	RISK_COUNT, RISK_WEIGHT, RISK_EXPONENT, RISK_X
};

/* The rows that are at risk at some event, in order of time. */
typedef struct RiskRows
{
	size_t		n;
	int			p;
	CoxTies		ties;
	const FitStop *stop;
	ColumnScales scales;
	EventTime  *times;			/* from the latest to the earliest */
	size_t		ntimes;
	double	   *rows;			/* n of RISK_X + p numbers */
	double	   *entry;
	size_t	   *leaving;		/* rows that begin after the first event, from the latest entry to the earliest */
	size_t		nleaving;
	double		event_x[ROWS_MAX_REGRESSORS];	/* sum of x over all events */
	double		events;
} RiskRows;

static inline double *
risk_row(const RiskRows *c, size_t i)
{
	return c->rows + i * (size_t) (RISK_X + c->p);
}

/*
 * What the likelihood needs to know about one time of events, as multiples of 2^frame. R are the sums over those at
 * risk who have no event then, D over those who have: of w = count exp(b'x), w x and w x x' (the lower triangle). The
 * d events are taken one after the other; at each, the share g of D is still at risk, and the risk is R + g D.
 */
typedef struct RiskSet
{
	const EventTime *time;
	double		frame;
	const double *r;
	const double *d;
	double		log_risk;		/* sum over the events of the logarithm of the risk, the frame included */
	double		inverse;		/* sum of 1 / risk */
	double		inverse_g;		/* of g / risk */
	double		inverse_f;		/* of (1 - g) / risk */
	double		square;			/* of 1 / risk^2, g / risk^2, g^2 / risk^2 */
	double		square_g;
	double		square_gg;
	double		square_f;		/* of (1 - g) / risk^2, g (1 - g) / risk^2 */
	double		square_fg;
} RiskSet;

typedef void (*VisitRiskSet) (void *arg, size_t at, const RiskSet *set);

/*
 * Read the rows. False where stopped (*reason is NULL), or where there is no event, not enough memory, or x leaves the
 * range of numbers (*reason says so). What was allocated is freed by free_risk_rows() in any case.
 */
extern bool read_risk_rows(const Rows *rows, bool clustered, RiskRows *c, const char **reason);
extern void free_risk_rows(RiskRows *c);

/* Weigh the rows at effects b of the scaled columns; false where stopped, or where that leaves the range of numbers. */
extern bool weigh_risk_rows(RiskRows *c, const double *b);

/* Visit all times of events, from the latest to the earliest; false where stopped. The rows have been weighed. */
extern bool visit_risk_sets(const RiskRows *c, VisitRiskSet visit, void *arg);

/* Among times from the latest to the earliest, the first that is not later than `time`: so many are. */
extern size_t times_after(const RiskRows *c, double time);

#endif
