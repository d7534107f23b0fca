// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.samples.experiment;

import java.util.Arrays;
import java.util.stream.DoubleStream;
import org.hipparchus.distribution.continuous.TDistribution;
import org.hipparchus.stat.descriptive.StreamingStatistics;

/**
 * A mean of independent values, usually one per seed.
 *
 * @param value NaN if there are none
 * @param error standard error of the mean; NaN for fewer than two values
 * @param count of the values
 */
record Mean(double value, double error, int count) {
  /** Of the values that are finite. */
  static Mean of(DoubleStream values) {
    StreamingStatistics statistics = new StreamingStatistics();
    values.filter(Double::isFinite).forEach(statistics::addValue);
    int count = (int) statistics.getN();
    double error = count < 2 ? Double.NaN : statistics.getStandardDeviation() / Math.sqrt(count);
    return new Mean(count == 0 ? Double.NaN : statistics.getMean(), error, count);
  }

  /**
   * Half the width of the 95 % interval of the mean, by Student's t.
   *
   * @return NaN for fewer than two values
   */
  double halfWidth() {
    return count < 2
        ? Double.NaN
        : error * new TDistribution(count - 1.0).inverseCumulativeProbability(0.975);
  }

  /** In another unit. */
  Mean times(double factor) {
    return new Mean(value * factor, error * factor, count);
  }

  /** The mean of the last part of a curve, without what is not finite. */
  static double ofTail(double[] curve, double share) {
    int from = (int) Math.floor(curve.length * (1 - share));
    return of(Arrays.stream(curve, from, curve.length)).value();
  }
}
