// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.exponent;

import java.util.List;
import org.hipparchus.distribution.continuous.TDistribution;
import org.hipparchus.stat.descriptive.StreamingStatistics;
import org.hipparchus.stat.regression.SimpleRegression;

/**
 * The measured epochs of all trajectories, cut into equal batches whose means are nearly
 * independent.
 *
 * <p>The errors of single steps are strongly correlated; those of batches much longer than the
 * correlation are not, so their spread gives an honest standard error.
 */
final class BatchMeans {
  /**
   * A second control must add this share of variance, else it only adds noise (equal diagonals make
   * it a multiple).
   */
  private static final double INDEPENDENT_SHARE = 1e-6;

  private final double[] growth;
  private final double[][] controls;

  private BatchMeans(double[] growth, double[][] controls) {
    this.growth = growth;
    this.controls = controls;
  }

  /**
   * Cuts the first {@code epochs} epochs of each trajectory into {@code batches} batches; batches
   * divides epochs.
   */
  static BatchMeans of(List<Trajectory> trajectories, int epochs, int batches) {
    int length = epochs / batches;
    boolean controlled = trajectories.get(0).controls().enabled();
    double[] growth = new double[batches * trajectories.size()];
    double[][] controls = new double[controlled ? ControlVariates.COUNT : 0][growth.length];
    int index = 0;
    for (Trajectory trajectory : trajectories) {
      for (int b = 0; b < batches; b++) {
        growth[index] = trajectory.meanGrowth(b * length, (b + 1) * length);
        for (int c = 0; c < controls.length; c++) {
          controls[c][index] = trajectory.controls().mean(c, b * length, (b + 1) * length);
        }
        index++;
      }
    }
    return new BatchMeans(growth, controls);
  }

  double mean() {
    return statistics(growth).getMean();
  }

  double standardError() {
    return statistics(growth).getStandardDeviation() / Math.sqrt(growth.length);
  }

  /** The quantile of Student's t with (batches − 1) degrees of freedom. */
  double quantile(double probability) {
    return quantile(probability, growth.length - 1);
  }

  /** The mean, with the control variates regressed out where there are any. */
  Fit fit() {
    double[] y = growth;
    int freedom = growth.length - 1;
    double[] first = null;
    for (double[] control : controls) {
      double[] x = first == null ? control : residual(first, control);
      if (variance(x) > INDEPENDENT_SHARE * variance(control) && variance(x) > 0) {
        y = adjusted(x, y);
        first = first == null ? x : first;
        freedom--;
      }
    }
    double error = Math.sqrt(variance(y) * (growth.length - 1) / freedom / growth.length);
    double plain = standardError();
    double reduction = error > 0 ? plain * plain / (error * error) : 1;
    return new Fit(statistics(y).getMean(), error, freedom, reduction);
  }

  /**
   * An estimate.
   *
   * @param freedom degrees of freedom of the standard error
   */
  record Fit(double value, double standardError, int freedom, double varianceReduction) {
    double quantile(double probability) {
      return BatchMeans.quantile(probability, freedom);
    }
  }

  private static double quantile(double probability, int freedom) {
    return new TDistribution(freedom).inverseCumulativeProbability(probability);
  }

  /** y minus slope·x: x has expectation zero, so the expectation of y stays. */
  private static double[] adjusted(double[] x, double[] y) {
    double slope = regression(x, y).getSlope();
    double[] result = new double[y.length];
    for (int i = 0; i < y.length; i++) {
      result[i] = y[i] - slope * x[i];
    }
    return result;
  }

  /** What of y is not a multiple of x; still of expectation zero. */
  private static double[] residual(double[] x, double[] y) {
    return adjusted(x, y);
  }

  private static SimpleRegression regression(double[] x, double[] y) {
    SimpleRegression regression = new SimpleRegression();
    for (int i = 0; i < x.length; i++) {
      regression.addData(x[i], y[i]);
    }
    return regression;
  }

  private static double variance(double[] values) {
    return statistics(values).getVariance();
  }

  private static StreamingStatistics statistics(double[] values) {
    StreamingStatistics statistics = new StreamingStatistics();
    for (double value : values) {
      statistics.addValue(value);
    }
    return statistics;
  }
}
