/*
 * effect.h - effects of a treatment or a score on an outcome, other things being equal: doubly robust and partially
 * linear, cross-fitted.
 *
 * Rows are (unit, x..., treatment, y) of ROWS_EFFECT: those of one unit, such as a customer, are neighbours. In each
 * repetition units fall into folds by a hash of unit and repetition; what is said about a fold comes from models fitted
 * to the others. The estimate is the median over the repetitions, its variance the median of variance + (estimate -
 * median)^2 (V. Chernozhukov et al. 2018, definition 3.3, in variances of the estimate). Errors are those of clusters,
 * the units that have rows left, with factor G / (G - 1) and Student's t of G - 1 degrees of freedom; where G is not
 * the same in all repetitions t has the fewest.
 */
#ifndef CLV_MATH_EFFECT_H
#define CLV_MATH_EFFECT_H

#include <stddef.h>

#include "math/inference.h"
#include "math/rows.h"

#define EFFECT_MOST_FOLDS 50
#define EFFECT_MOST_REPETITIONS 101
#define EFFECT_LEAST_PROPENSITY 0.01	/* below it, and above 1 less it, rows are left out */

enum
{
	EFFECT_TREATMENT, EFFECT_Y, EFFECT_COLUMNS
};

typedef struct EffectOptions
{
	int			folds;			/* 2 to EFFECT_MOST_FOLDS */
	int			repetitions;	/* 1 to EFFECT_MOST_REPETITIONS */
	double		conf;
	const FitStop *stop;		/* may be NULL */
} EffectOptions;

typedef enum EffectStatus
{
	EFFECT_ESTIMATED,
	EFFECT_IMPOSSIBLE,			/* n, treated, perhaps propensities are set; reason and hint say why no more */
	EFFECT_NOT_BINARY,			/* a treatment is neither 0 nor 1, as `wrong` is */
	EFFECT_STOPPED
} EffectStatus;

/* A number that does not exist is NAN. */
typedef struct Effect
{
	double		n;				/* rows, by count */
	double		treated;		/* of them; (partially linear) NAN */
	double		estimate;
	Estimate	interval;
	double		statistic;		/* t = estimate / std_error */
	double		p_value;		/* two-sided */
	double		trimmed_share;	/* of rows without overlap, which are left out: mean over the repetitions */
	double		lowest_propensity;	/* of all rows and repetitions, before any are left out */
	double		highest_propensity;
	const char *reason;			/* static texts */
	const char *hint;
	double		wrong;
} Effect;

/* How many doubles of workspace the rows need. */
extern size_t effect_workspace(const Rows *rows);

/*
 * The mean effect of a treatment of 0 or 1 on y by augmented inverse probability weighting (J. M. Robins, A. Rotnitzky
 * and L. P. Zhao 1994): consistent where either the model of the treatment (logistic) or that of y in each group
 * (logistic where all y are 0 or 1, else linear) is right, given that x holds all that drives both. Where events are
 * separated, Firth's method is used. Rows with a propensity outside the limits are left out, so that the effect is that
 * of the others; where they are more than half, there is no effect to speak of.
 */
extern EffectStatus aipw_effect(const Rows *rows, const EffectOptions *options, double *workspace, Effect *effect);

/*
 * The effect of one unit more of a treatment, any number, on y in a partially linear model (P. M. Robinson 1988):
 * regression of what x does not explain of y on what it does not explain of the treatment, where both are explained by
 * linear models. Of an effect that varies it is a mean, with more weight where the treatment varies more given x.
 */
extern EffectStatus partial_effect(const Rows *rows, const EffectOptions *options, double *workspace, Effect *effect);

#endif
