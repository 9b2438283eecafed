/*
 * btyd_model.h - what a model of purchases, churn or spend must know, and the table of models.
 *
 * A model is one file in src/math that fills one const BtydModel, and one line in src/math/models.c.
 * What a model reads says which operations it has: ROWS_TIMING all those of purchases (p_alive to
 * discounted_purchases, and the means), ROWS_SPEND expected_spend. The others are NULL, and the caller
 * refuses the model by what it reads.
 */
#ifndef CLV_MATH_BTYD_MODEL_H
#define CLV_MATH_BTYD_MODEL_H

#include <stdbool.h>

#include "math/rows.h"

#define BTYD_MAX_PARAMS 8

/* Polled every few thousand rows; when it answers true the computation is abandoned. */
typedef struct FitStop
{
	bool		(*requested) (void *arg);
	void	   *arg;
} FitStop;

/*
 * One customer in the model's time unit: x repeat purchases, the last at t_x, observed until t_cal
 * (both counted from the first purchase). A new customer is {0, 0, 0}.
 */
typedef struct Customer
{
	double		x;
	double		t_x;
	double		t_cal;
} Customer;

/*
 * theta is an array of nparams positive parameters, in the order of params. All operations return
 * finite numbers for valid input; a value below 1e-300 may come out as 0. Where the exact value is
 * infinite they return INFINITY, where it does not exist NAN, and the caller raises the error.
 */
typedef struct BtydModel
{
	int			code;			/* stored on disk: never renumber */
	const char *kind;			/* "bgnbd": name in glance(), jsonb and the text form */
	const char *title;			/* "BG/NBD": name in messages */
	RowKind		reads;
	int			nparams;
	const char *const *params;

	/*
	 * Why the rows cannot determine the model, as static texts, or false when they can (cheap
	 * checks only: enough rows, some repeat purchase, ...).
	 */
	bool		(*undetermined) (const Rows *rows, const char **reason, const char **hint);
	void		(*start) (const Rows *rows, double *theta);

	/*
	 * Log-likelihood (density of purchase times, without binomials) at theta, with gradient
	 * grad[nparams] and Hessian hess[nparams * nparams] with respect to theta on its natural scale
	 * where the pointers are not NULL. Polls stop (may be NULL) and returns NAN when it was asked to.
	 */
	double		(*log_likelihood) (const Rows *rows, const double *theta, double *grad, double *hess,
								   const FitStop *stop);

	/* Which parameters ran off to a limit of the model at theta and why they do, as static texts. */
	void		(*ran_off) (const double *theta, const char **reason, const char **hint);

	double		(*mean_rate) (const double *theta);		/* purchases per unit while alive */
	double		(*mean_dropout) (const double *theta);	/* per purchase (BG) or per unit (Pareto) */

	/* probability of being alive at t_cal + t */
	double		(*p_alive) (const double *theta, const Customer *c, double t);
	/* expected number of purchases in (t_cal, t_cal + t] */
	double		(*expected_purchases) (const double *theta, const Customer *c, double t);
	/* probability of no purchase in (t_cal, t_cal + t] */
	double		(*silence) (const double *theta, const Customer *c, double t);
	/* probability of exactly n purchases in (t_cal, t_cal + t] */
	double		(*purchase_probability) (const double *theta, const Customer *c, double n, double t);
	/*
	 * expected purchases in (t_cal, t_cal + t], each discounted by exp(-delta * time); t may be INFINITY,
	 * and the value then is, too, where delta is negative
	 */
	double		(*discounted_purchases) (const double *theta, const Customer *c, double delta, double t);
	/* expected amount per purchase given x repeat purchases of mean m; x = 0: population mean */
	double		(*expected_spend) (const double *theta, double x, double m);
} BtydModel;

extern const BtydModel bgnbd_model;
extern const BtydModel gamma_gamma_model;

/* Find a model by its code on disk or by its kind; NULL if unknown. */
extern const BtydModel *btyd_model_by_code(int code);
extern const BtydModel *btyd_model_by_kind(const char *kind);

#endif
