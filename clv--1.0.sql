\echo Use "CREATE EXTENSION clv" to load this file. \quit

-- One section per room, in the order in which data flows. Every object is commented: what, units, NULLs, errors, source.

-- ---- value ------------------------------------------------------------------------------------------------------

-- ---- history: type purchase_history -----------------------------------------------------------------------------

-- ---- sample: type clv_sample ------------------------------------------------------------------------------------

-- ---- model: type clv_model --------------------------------------------------------------------------------------

-- ---- btyd: fits and predictions ---------------------------------------------------------------------------------

