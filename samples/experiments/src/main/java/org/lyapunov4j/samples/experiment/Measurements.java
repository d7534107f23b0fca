// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.samples.experiment;

import java.util.Map;
import java.util.TreeMap;

/**
 * What a run found.
 *
 * @param values single numbers by name
 * @param series numbers by name, for curves and averages; those of one run need not be of one
 *     length
 */
record Measurements(Map<String, Double> values, Map<String, double[]> series) {
  Measurements {
    values = Map.copyOf(new TreeMap<>(values));
    series = Map.copyOf(new TreeMap<>(series));
  }

  /** NaN if there is none. */
  double value(String name) {
    return values.getOrDefault(name, Double.NaN);
  }

  /** Empty if there is none. */
  double[] curve(String name) {
    return series.getOrDefault(name, new double[0]);
  }
}
