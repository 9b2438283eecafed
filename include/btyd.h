/*
 * btyd.h - the btyd room for the rooms behind it: fits.
 */
#ifndef CLV_BTYD_H
#define CLV_BTYD_H

#include "model.h"
#include "sample.h"

/*
 * The fit polls it: true when the call is to end. A caller whose computation was stopped by it goes on with
 * stop_call(), which raises the error.
 */
extern const FitStop stop_on_cancel;
pg_noreturn extern void stop_call(const char *what);

/*
 * The model fitted to a stored sample of the rows it reads; other rows are an error. NULL, after a WARNING that
 * says why, where the data cannot determine it; a fit that did not converge is returned after a WARNING.
 */
extern ClvModel *fit_sample(const BtydModel *kind, const ClvSample *sample);

#endif
