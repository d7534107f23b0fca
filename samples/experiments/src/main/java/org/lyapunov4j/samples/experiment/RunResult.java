// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.samples.experiment;

import java.util.Map;
import java.util.stream.DoubleStream;
import java.util.stream.IntStream;

/**
 * A run that was executed to its end.
 *
 * @param id of the run
 * @param settings of the run
 * @param found in it
 * @param seconds it took
 */
record RunResult(String id, Map<String, String> settings, Measurements found, double seconds) {
  /** A setting. */
  String setting(String name) {
    String value = settings.get(name);
    if (value == null) {
      throw new IllegalArgumentException(id + " has no setting " + name + " but " + settings);
    }
    return value;
  }

  /** Whether the loss was no longer finite. */
  boolean diverged() {
    return value("diverged") != 0;
  }

  double value(String name) {
    return found.value(name);
  }

  double[] curve(String name) {
    return found.curve(name);
  }

  /** A curve over the second half of the iterations. */
  double[] secondHalf(String name) {
    double[] iterations = curve("iteration");
    double half = iterations.length == 0 ? 0 : iterations[iterations.length - 1] / 2;
    double[] values = curve(name);
    return IntStream.range(0, values.length)
        .filter(i -> iterations[i] >= half)
        .mapToDouble(i -> values[i])
        .toArray();
  }

  /** The mean of a curve over the second half of the iterations, without what is not finite. */
  double late(String name) {
    return Mean.of(DoubleStream.of(secondHalf(name))).value();
  }
}
