// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.dl4j.record;

import org.lyapunov4j.stability.EdgeTrack;
import org.lyapunov4j.stability.EdgeTrend;

/**
 * What the search at the next checkpoint, and the forecast, start from.
 *
 * @param track the critical learning rate
 * @param trend of the checkpoints before
 */
public record EdgeState(EdgeTrack track, EdgeTrend trend) {}
