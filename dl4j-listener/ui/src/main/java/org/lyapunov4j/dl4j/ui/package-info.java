// SPDX-License-Identifier: Apache-2.0
/**
 * A <i>Stability</i> page in Deeplearning4j's training UI: checkpoints go into a {@code
 * StatsStorage}, the page reads them from there.
 */
package org.lyapunov4j.dl4j.ui;
