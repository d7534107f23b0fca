// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.exponent;

import org.lyapunov4j.gram.GramSpectrum;
import org.lyapunov4j.gram.SlowestMode;
import org.lyapunov4j.step.SgdStep;

/**
 * The deterministic step on all N examples, where every exponent is known from the eigenvalues κ of
 * G alone.
 *
 * <p>Along an eigenvector of curvature h = κ/N plain gradient descent multiplies by 1 − ηh (theory
 * (2.18)); with momentum it is a 2×2 matrix on position and velocity, whose spectral radius passes
 * 1 where 1 + trace + determinant = 0.
 */
public final class FullBatchExponent {
  private FullBatchExponent() {}

  /**
   * The gradient-descent exponent μ = log max |1 − ηκ/N| over the nonzero eigenvalues κ, or its
   * form with momentum and decay.
   *
   * @param spectrum the eigenvalues of G
   * @param step the step; its batch size and sampling do not matter
   * @return μ in nats per step; −∞ if one step erases everything or G = 0
   */
  public static double of(GramSpectrum spectrum, SgdStep step) {
    StepRecursion update = StepRecursion.of(step);
    double largest = Double.NEGATIVE_INFINITY;
    for (int i = spectrum.size() - spectrum.rank(); i < spectrum.size(); i++) {
      largest = Math.max(largest, alongEigenvector(spectrum, i, update));
    }
    return largest;
  }

  /**
   * What is known of μ from all eigenvalues.
   *
   * @param spectrum the eigenvalues of G, not all 0
   * @param step the step; its batch size and sampling do not matter
   * @return μ, or a bound as for {@link #between}
   */
  public static LyapunovExponent bounds(GramSpectrum spectrum, SgdStep step) {
    double sharpest = spectrum.largest() / spectrum.examples();
    return between(
        spectrum.smallestNonzero().orElse(spectrum.largest()) / spectrum.examples(),
        sharpest,
        SlowestMode.isResolved(spectrum),
        step);
  }

  /**
   * What is known of μ from the two ends of the spectrum: |1 − ηh|, or the spectral radius with
   * momentum, is largest at one of them.
   *
   * @param slowest κ_min/N, or the smallest curvature that is known to be nonzero
   * @param sharpest κ_max/N
   * @param resolved whether no direction is slower than {@code slowest}
   * @param step the step; its batch size and sampling do not matter
   * @return μ, or a bound where slower directions may be hidden or do not decay
   */
  public static LyapunovExponent between(
      double slowest, double sharpest, boolean resolved, SgdStep step) {
    double top = along(sharpest, step);
    double value = Math.max(along(slowest, step), top);
    double ceiling = step.hasUnevenDecay() ? 0 : along(0, step);
    boolean hidden = !resolved || step.hasUnevenDecay();
    return hidden && value < ceiling
        ? new ExponentBound(
            step.fastestL2() > step.l2() ? Math.min(value, floor(slowest, step)) : value,
            ceiling,
            ceiling <= 0 ? Sign.NEGATIVE : Sign.UNDECIDED,
            step.hasUnevenDecay() ? ExponentBound.UNEVEN_DECAY : ExponentBound.LOST_IN_ROUNDING)
        : new ExactExponent(value);
  }

  /** The least that the slowest direction may have: that of the fastest decay on top of it. */
  private static double floor(double curvature, SgdStep step) {
    SgdStep fastest = step.ofFastestDecay();
    boolean monotone = step.learningRate() * (curvature + fastest.l2()) < 1;
    return monotone ? along(curvature, fastest) : Double.NEGATIVE_INFINITY;
  }

  /**
   * The exponent along a direction of the given curvature.
   *
   * @param curvature h = κ/N ≥ 0
   * @param step the step
   * @return nats per step, −∞ where the step erases the direction
   */
  public static double along(double curvature, SgdStep step) {
    return StepRecursion.of(step).fullBatchExponent(curvature);
  }

  /**
   * The curvature at which the step loses stability: 2/η for plain gradient descent, (2 + 2β)/η for
   * heavy ball, (2 + 2β)/((1 + 2β)η) for Nesterov momentum, (2 + 2β)/((1 − β)η) for a moving
   * average of gradients, (2 + 2β)/((1 + 2β)(1 − β)η) for Nesterov momentum on one; lower with
   * decay.
   *
   * @param step the step
   * @return the largest stable eigenvalue of G/N
   */
  public static double criticalCurvature(SgdStep step) {
    return StepRecursion.of(step).criticalCurvature();
  }

  /**
   * The classic gauge of the edge: a curvature over {@link #criticalCurvature}.
   *
   * @param curvature h ≥ 0, the sharpness
   * @param step the step
   * @return η·h/2 for plain gradient descent, 1 at the edge
   */
  public static double edgeRatio(double curvature, SgdStep step) {
    double critical = criticalCurvature(step);
    if (critical < Double.POSITIVE_INFINITY || step.learningRate() == 0 || curvature == 0) {
      return curvature / critical;
    }
    int exponent = Math.getExponent(curvature); // 2/η alone overflows
    return Math.scalb(curvature, -exponent) / criticalCurvature(step.scaled(exponent));
  }

  /**
   * The learning rate at which a direction of the given curvature loses stability.
   *
   * @param curvature h &gt; 0
   * @param step the step; its learning rate does not matter
   * @return η with {@link #criticalCurvature} = h
   */
  public static double criticalLearningRate(double curvature, SgdStep step) {
    // ηh + ηl2 and ηdecay enter the boundary linearly, so that its reciprocal is linear in h
    SgdStep unit = step.withLearningRate(1).withL2(0).withWeightDecay(0);
    double plain = StepRecursion.of(unit).criticalCurvature();
    return 1 / ((curvature + step.l2()) / plain + step.weightDecay() / 2);
  }

  private static double alongEigenvector(GramSpectrum spectrum, int index, StepRecursion update) {
    return update.fullBatchExponent(spectrum.eigenvalue(index) / spectrum.examples());
  }
}
