/*
 * firth.c - Firth's penalised likelihood of logistic regression: log-likelihood + 1/2 log det information.
 *
 * Its gradient is that of data in which every row also happened h / 2 times either way, h the row's leverage (Heinze
 * and Schemper 2002). The information of those data takes the place of the second derivatives: it is exact where the
 * columns are the cells of a table, and elsewhere leaves out how the leverage changes.
 */
#include "math/logit.h"

#include <string.h>

/* Leverages of the rows of a block: weight z' (root' root) z, of one of the rows that each counts. */
static void
leverages(const Design *design, const DesignBlock *block, const double *root, const double *weight, double *leverage)
{
	memset(leverage, 0, DESIGN_BLOCK * sizeof(double));
	for (int k = 0; k < design->rank; k++)
	{
		double		u[DESIGN_BLOCK] = {0};

		for (int l = 0; l <= k; l++)
			block_add(u, block->z[l], root[k * design->rank + l]);
		for (int i = 0; i < DESIGN_BLOCK; i++)
			leverage[i] += weight[i] * u[i] * u[i];
	}
}

/* The gradient with the penalty's, and the step that information of the augmented rows promises. */
static LogitOutcome
set_step(const Design *design, const FitStop *stop, LogitPoint *point)
{
	int			rank = design->rank;
	double		augmented[DESIGN_MAX * DESIGN_MAX] = {0};
	double		nearest[DESIGN_MAX];
	DesignBlock block;

	for (size_t first = 0; first < design->rows->n; first += DESIGN_BLOCK)
	{
		double		residual[DESIGN_BLOCK];
		double		weight[DESIGN_BLOCK];
		double		leverage[DESIGN_BLOCK];
		double		pull[DESIGN_BLOCK] = {0};

		if (block_stops(stop, first))
			return LOGIT_STOPPED;
		design_block(design, first, &block);
		logit_block(design, &block, point->coefficients, residual, weight);
		leverages(design, &block, point->root, weight, leverage);
		for (int i = 0; i < block.n; i++)
		{
			double		p = block.values[i][0] != 0 ? 1 - residual[i] : -residual[i];

			pull[i] = block.count[i] * leverage[i] * (0.5 - p);
			weight[i] *= block.count[i] * (1 + leverage[i]);
		}
		for (int k = 0; k < rank; k++)
			point->gradient[k] += block_dot(pull, block.z[k]);
		block_add_gram(design, &block, weight, augmented);
	}
	if (!logit_root(augmented, rank, point->curvature_root))
		return LOGIT_STUCK;
	logit_solve(point->curvature_root, rank, point->gradient, point->step);
	logit_solve(point->root, rank, point->gradient, nearest);
	point->distance = 0;
	for (int k = 0; k < rank; k++)
		point->distance += point->gradient[k] * nearest[k];
	point->distance = sqrt(point->distance);
	return LOGIT_REACHED;
}

LogitOutcome
firth_evaluate(const Design *design, const FitStop *stop, LogitPoint *point)
{
	LogitOutcome outcome = logit_evaluate(design, stop, point);

	if (outcome != LOGIT_REACHED)
		return outcome;
	for (int k = 0; k < design->rank; k++)
		point->value -= log(point->root[k * design->rank + k]);
	return set_step(design, stop, point);
}
