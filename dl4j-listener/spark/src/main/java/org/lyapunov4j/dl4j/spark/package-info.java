// SPDX-License-Identifier: Apache-2.0
/**
 * Saved models, what-if grids, ensembles and trajectories as Spark jobs. One trajectory is never
 * distributed: a step takes less time than a job.
 */
package org.lyapunov4j.dl4j.spark;
