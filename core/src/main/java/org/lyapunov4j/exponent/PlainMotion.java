// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.exponent;

import java.util.Optional;
import org.lyapunov4j.gram.GramMatrix;
import org.lyapunov4j.gram.SlowestMode;
import org.lyapunov4j.step.RandomStream;
import org.lyapunov4j.step.SgdStep;

/**
 * A step that moves all parameters alike.
 *
 * @param gram G
 * @param step the step
 * @param slowest the slowest mode of G, if it is known
 */
record PlainMotion(GramMatrix gram, SgdStep step, Optional<SlowestMode> slowest) implements Motion {

  @Override
  public int parts() {
    return 1;
  }

  @Override
  public boolean startsSlowly() {
    return slowest.isPresent();
  }

  @Override
  public MeasuredRun slow(RandomStream random) {
    return new GrowthRun(gram, step, random, slowest.map(this::start).orElseGet(this::anywhere));
  }

  @Override
  public MeasuredRun unstable(RandomStream random) {
    return new GrowthRun(gram, step, random, anywhere());
  }

  private GrowthRun.Start start(SlowestMode mode) {
    StepRecursion update = StepRecursion.of(step);
    double curvature = mode.eigenvalue() / gram.examples();
    return new GrowthRun.Start(
        mode.vector(), update.velocityRatio(curvature), update.velocityWeight(curvature));
  }

  private GrowthRun.Start anywhere() {
    return new GrowthRun.Start(new double[0], 0, StepRecursion.of(step).scaleOfVelocity());
  }

  /** log|1 − ηκ_min/N| or its form with momentum. */
  @Override
  public double slowestDecay() {
    double curvature = slowest.orElseThrow().eigenvalue() / gram.examples();
    return Math.min(0, FullBatchExponent.along(curvature, step));
  }

  @Override
  public Optional<ExponentBound> hidden(double low) {
    return reason()
        .map(
            reason -> {
              double ceiling =
                  step.hasUnevenDecay() ? 0 : Math.min(0, FullBatchExponent.along(0, step));
              double floor = step.fastestL2() > step.l2() ? Double.NEGATIVE_INFINITY : low;
              return new ExponentBound(Math.min(floor, ceiling), ceiling, Sign.NEGATIVE, reason);
            });
  }

  private Optional<String> reason() {
    if (step.hasUnevenDecay()) {
      return Optional.of(ExponentBound.UNEVEN_DECAY);
    }
    if (slowest.isEmpty()) {
      return Optional.of("the slowest direction of the Gram matrix is not known");
    }
    return slowest.get().isResolved()
        ? Optional.empty()
        : Optional.of(ExponentBound.LOST_IN_ROUNDING);
  }
}
