// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.samples.experiment;

import java.util.Optional;
import java.util.stream.DoubleStream;
import java.util.stream.IntStream;

/**
 * How fast the loss fell between the checkpoints of the last part of a run, beside two forecasts
 * made at these checkpoints. Near a minimum of squares the loss is a square of the residual, which
 * grows like e^(λt) in the end: then log L has the slope 2λ. Before that end faster directions make
 * the residual smaller, which is what the finite time of the checkpoint foretells.
 *
 * @param measured slope of log L, per step
 * @param exponent twice the mean of λ; NaN if it was only bounded at one of the checkpoints
 * @param residual twice the mean growth of the residual until the next checkpoint; NaN if it was
 *     not followed
 * @param error standard error of {@code measured − residual}, from its scatter over the checkpoints
 * @param from first step
 * @param to last step
 */
record LossRate(
    double measured, double exponent, double residual, double error, double from, double to) {
  /** Losses of outputs of order one that are not rounding yet. */
  private static final double SMALLEST = 1e-22;

  /**
   * Of the second half of the steps until the loss is small, and of as many as have checkpoints at
   * equal distances.
   *
   * @param horizon of the finite times, the distance of the checkpoints
   * @return absent if the loss does not stay finite or there are fewer than four checkpoints
   */
  static Optional<LossRate> of(RunResult run, int horizon) {
    double[] iterations = run.curve("iteration");
    double[] losses = run.curve("probeLoss");
    int end = 0;
    while (end < losses.length && losses[end] > SMALLEST && Double.isFinite(losses[end])) {
      end++;
    }
    if (end < 2 || run.diverged()) {
      return Optional.empty();
    }
    double half = iterations[end - 1] / 2;
    int last = end - 1;
    int[] starts =
        IntStream.range(0, last)
            .filter(i -> iterations[i] >= half && iterations[i + 1] - iterations[i] == horizon)
            .toArray();
    if (starts.length < 3) {
      return Optional.empty();
    }
    int to = starts[starts.length - 1] + 1;
    double[] rates = new double[losses.length];
    for (int i : starts) {
      rates[i] = Math.log(losses[i + 1] / losses[i]) / horizon;
    }
    double[] residuals = run.curve("residualRate");
    Mean miss = Mean.of(IntStream.of(starts).mapToDouble(i -> rates[i] - 2 * residuals[i]));
    return Optional.of(
        new LossRate(
            mean(starts, rates),
            2 * mean(starts, run.curve("lambda")),
            2 * mean(starts, residuals),
            miss.error(),
            iterations[starts[0]],
            iterations[to]));
  }

  private static double mean(int[] indices, double[] curve) {
    return IntStream.of(indices).mapToDouble(i -> curve[i]).average().orElseThrow();
  }

  /** Whether a forecast is within a quarter of what was measured. */
  private boolean isNear(double forecast) {
    return Math.abs(forecast - measured) <= Math.abs(measured) / 4;
  }

  boolean followsExponent() {
    return isNear(exponent);
  }

  /** Or within twice its error, which is large where mini-batches are small. */
  boolean followsResidual() {
    return isNear(residual) || Math.abs(measured - residual) <= 2 * error;
  }

  /** How many times as fast as 2λ the loss fell; NaN where that has no meaning. */
  double overExponent() {
    return exponent < 0 ? measured / exponent : Double.NaN;
  }

  /** The middle value of those that are numbers. */
  static double median(DoubleStream values) {
    double[] sorted = values.filter(Double::isFinite).sorted().toArray();
    return sorted.length == 0 ? Double.NaN : sorted[sorted.length / 2];
  }
}
