// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.exponent;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.hipparchus.distribution.continuous.TDistribution;
import org.hipparchus.exception.MathIllegalArgumentException;
import org.hipparchus.stat.descriptive.StreamingStatistics;
import org.hipparchus.stat.regression.OLSMultipleLinearRegression;

/**
 * The exponent that measured blocks give: cut into equal batches whose means are nearly
 * independent, with control variates regressed out or not.
 *
 * <p>The errors of single steps are strongly correlated; those of batches much longer than the
 * correlation are not, so their spread gives an honest standard error.
 *
 * @param value λ̂
 * @param standardError of the batch means
 * @param halfWidth of the 95 % interval
 * @param variancePerStep σ² of the plain growth
 */
record GrowthFit(double value, double standardError, double halfWidth, double variancePerStep) {
  /** Batches over all runs. */
  static final int BATCHES = 16;

  /**
   * Factor on Student's interval. Batch means of 16 are a little too narrow while batches are
   * short; with it, coverage on the reference kernels is 96 to 98 % (docs/decisions.md).
   */
  private static final double INFLATION = 1.15;

  private static final double LEVEL = 0.975;

  /** Relative rounding of a mean growth, also where the controls explain all of its variance. */
  private static final double ROUNDING = 1e-8;

  /**
   * The fit for the slow branch: of the plain mean, the regression on the quiet control and that on
   * both controls the one with the narrowest interval. In quiet phases the controls explain nearly
   * all of the variance; where rare bursts carry λ they explain nothing, and the plain mean is the
   * honest one.
   */
  static GrowthFit slow(List<? extends MeasuredRun> runs, int blocks) {
    Batches batches = new Batches(runs, blocks);
    GrowthFit best = batches.fit(List.of());
    if (runs.get(0).controlled()) {
      for (List<double[]> controls :
          List.of(List.of(batches.quiet), List.of(batches.quiet, batches.burst))) {
        GrowthFit fit = batches.fit(controls);
        best = fit.halfWidth < best.halfWidth ? fit : best;
      }
    }
    return best;
  }

  /** The fit for the unstable branch: both controls, whatever the width. */
  static GrowthFit unstable(List<? extends MeasuredRun> runs, int blocks) {
    Batches batches = new Batches(runs, blocks);
    return batches.fit(
        runs.get(0).controlled() ? List.of(batches.quiet, batches.burst) : List.of());
  }

  /** Means over equal batches. */
  private static final class Batches {
    private final double[] growth;
    private final double[] quiet;
    private final double[] burst;
    private final int steps;

    Batches(List<? extends MeasuredRun> runs, int blocks) {
      int perRun = Math.max(1, Math.min(Math.max(2, BATCHES / runs.size()), blocks));
      int length = blocks / perRun;
      growth = means(runs, 0, perRun, length);
      quiet = means(runs, 1, perRun, length);
      burst = means(runs, 2, perRun, length);
      steps = length * runs.get(0).stepsPerBlock();
    }

    private static double[] means(
        List<? extends MeasuredRun> runs, int which, int perRun, int length) {
      double[] means = new double[perRun * runs.size()];
      for (int i = 0; i < means.length; i++) {
        int from = i % perRun * length;
        means[i] = runs.get(i / perRun).mean(which, from, from + length);
      }
      return means;
    }

    GrowthFit fit(List<double[]> controls) {
      StreamingStatistics plain = new StreamingStatistics();
      Arrays.stream(growth).forEach(plain::addValue);
      double variancePerStep = plain.getVariance() * steps;
      List<double[]> columns = new ArrayList<>();
      for (double[] control : controls) {
        scaled(control, columns);
      }
      if (columns.isEmpty()) {
        double error = plain.getStandardDeviation() / Math.sqrt(growth.length);
        return of(plain.getMean(), error, growth.length - 1, variancePerStep);
      }
      return regression(columns, variancePerStep);
    }

    private GrowthFit regression(List<double[]> columns, double variancePerStep) {
      double[][] rows = new double[growth.length][columns.size()];
      for (int i = 0; i < rows.length; i++) {
        for (int c = 0; c < columns.size(); c++) {
          rows[i][c] = columns.get(c)[i];
        }
      }
      int freedom = growth.length - 1 - columns.size();
      try {
        OLSMultipleLinearRegression regression = new OLSMultipleLinearRegression();
        regression.newSampleData(growth, rows);
        return of(
            regression.estimateRegressionParameters()[0],
            regression.estimateRegressionParametersStandardErrors()[0],
            freedom,
            variancePerStep);
      } catch (MathIllegalArgumentException collinear) {
        return fit(List.of());
      }
    }

    /** A control without variation explains nothing; others are scaled to be well conditioned. */
    private static void scaled(double[] control, List<double[]> columns) {
      double largest = Arrays.stream(control).map(Math::abs).max().orElse(0);
      if (largest > 0) {
        columns.add(Arrays.stream(control).map(x -> x / largest).toArray());
      }
    }

    private GrowthFit of(double value, double error, int freedom, double variancePerStep) {
      double quantile = new TDistribution(freedom).inverseCumulativeProbability(LEVEL);
      double rounding = ROUNDING * Arrays.stream(growth).map(Math::abs).max().orElse(0);
      double halfWidth = Math.max(INFLATION * quantile * error, rounding);
      return new GrowthFit(value, error, halfWidth, variancePerStep);
    }
  }
}
