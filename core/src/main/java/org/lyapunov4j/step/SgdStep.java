// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.step;

import java.io.Serializable;
import java.util.Locale;
import java.util.Objects;

/**
 * One training step, as far as its linearisation needs it.
 *
 * <p>On a mini-batch S the gradient is g = (1/|S|) Σ_{i∈S} ∇ℓ_i(θ) + l2·θ; the {@linkplain Momentum
 * momentum} turns η g into an update; weight decay adds η·weightDecay·θ to the update (decoupled
 * from the momentum). Near a minimum the plain step acts on residuals r = G w as r ← (1 − η(l2 +
 * weightDecay)) r − (η/|S|) G[:,S] r_S.
 *
 * @param learningRate η ≥ 0, finite; at 0 the step is the identity
 * @param batchSize B ≥ 1
 * @param sampling how S is drawn
 * @param momentum the memory of the step
 * @param l2 coefficient c ≥ 0 of a penalty (c/2)‖θ‖², part of the gradient and hence of the
 *     momentum
 * @param weightDecay coefficient ≥ 0 of a decay added after the momentum, times η
 * @param decaysInPart whether some parameters do not decay at all, as biases by default. Then below
 *     the edge the slowest motion is a creep of those, at a rate between 0 and that of this step: a
 *     negative exponent is a bound
 * @param fastestL2 the coefficient of the parameter that decays fastest, at least {@code l2}; above
 *     it where a preconditioner makes every parameter decay at a rate of its own, and {@code l2} is
 *     that along the critical direction
 */
public record SgdStep(
    double learningRate,
    int batchSize,
    MiniBatchSampling sampling,
    Momentum momentum,
    double l2,
    double weightDecay,
    boolean decaysInPart,
    double fastestL2)
    implements Serializable {

  /** {@inheritDoc} */
  public SgdStep {
    if (!(learningRate >= 0 && learningRate < Double.POSITIVE_INFINITY)) {
      throw new IllegalArgumentException(
          "learning rate must be finite and at least 0, got " + learningRate);
    }
    learningRate += 0.0; // -0.0, too, is 0
    if (batchSize < 1) {
      throw new IllegalArgumentException("batch size must be at least 1, got " + batchSize);
    }
    Objects.requireNonNull(sampling, "sampling");
    Objects.requireNonNull(momentum, "momentum");
    requirePenalty("l2", l2);
    requirePenalty("weight decay", weightDecay);
    if (!(fastestL2 >= l2 && fastestL2 < Double.POSITIVE_INFINITY)) {
      throw new IllegalArgumentException(
          "the fastest l2 must be finite and at least l2 = " + l2 + ", got " + fastestL2);
    }
  }

  /**
   * A step whose decay, if there is any, acts on all parameters alike.
   *
   * @param learningRate η ≥ 0, finite; at 0 the step is the identity
   * @param batchSize B ≥ 1
   * @param sampling how S is drawn
   * @param momentum the memory of the step
   * @param l2 coefficient of the penalty
   * @param weightDecay coefficient of the decoupled decay
   */
  public SgdStep(
      double learningRate,
      int batchSize,
      MiniBatchSampling sampling,
      Momentum momentum,
      double l2,
      double weightDecay) {
    this(learningRate, batchSize, sampling, momentum, l2, weightDecay, false, l2);
  }

  /**
   * Plain SGD on independent uniform B-subsets.
   *
   * @param learningRate η
   * @param batchSize B
   * @return the step
   */
  public static SgdStep of(double learningRate, int batchSize) {
    return new SgdStep(learningRate, batchSize, MiniBatchSampling.IID_SUBSETS, Momentum.NONE, 0, 0);
  }

  /**
   * This step at another learning rate.
   *
   * @param learningRate η
   * @return the changed step
   */
  public SgdStep withLearningRate(double learningRate) {
    return new SgdStep(
        learningRate, batchSize, sampling, momentum, l2, weightDecay, decaysInPart, fastestL2);
  }

  /**
   * This step at another batch size.
   *
   * @param batchSize B
   * @return the changed step
   */
  public SgdStep withBatchSize(int batchSize) {
    return new SgdStep(
        learningRate, batchSize, sampling, momentum, l2, weightDecay, decaysInPart, fastestL2);
  }

  /**
   * This step with another sampling scheme.
   *
   * @param sampling the scheme
   * @return the changed step
   */
  public SgdStep withSampling(MiniBatchSampling sampling) {
    return new SgdStep(
        learningRate, batchSize, sampling, momentum, l2, weightDecay, decaysInPart, fastestL2);
  }

  /**
   * This step with another memory.
   *
   * @param momentum the momentum
   * @return the changed step
   */
  public SgdStep withMomentum(Momentum momentum) {
    return new SgdStep(
        learningRate, batchSize, sampling, momentum, l2, weightDecay, decaysInPart, fastestL2);
  }

  /**
   * This step with another l2 penalty, of all parameters that decay alike.
   *
   * @param l2 c ≥ 0
   * @return the changed step
   */
  public SgdStep withL2(double l2) {
    return new SgdStep(
        learningRate, batchSize, sampling, momentum, l2, weightDecay, decaysInPart, l2);
  }

  /**
   * This step with another weight decay.
   *
   * @param weightDecay coefficient ≥ 0
   * @return the changed step
   */
  public SgdStep withWeightDecay(double weightDecay) {
    return new SgdStep(
        learningRate, batchSize, sampling, momentum, l2, weightDecay, decaysInPart, fastestL2);
  }

  /**
   * This step with decay that leaves out some parameters, or none.
   *
   * @param decaysInPart whether some parameters do not decay
   * @return the changed step
   */
  public SgdStep withDecayInPart(boolean decaysInPart) {
    return new SgdStep(
        learningRate, batchSize, sampling, momentum, l2, weightDecay, decaysInPart, fastestL2);
  }

  /**
   * This step with an l2 penalty of every parameter's own.
   *
   * @param l2 that along the critical direction
   * @param fastest that of the parameter that decays fastest, at least {@code l2}
   * @return the changed step, which decays in part
   */
  public SgdStep withUnevenL2(double l2, double fastest) {
    return new SgdStep(learningRate, batchSize, sampling, momentum, l2, weightDecay, true, fastest);
  }

  /**
   * This step with the decay of the parameter that decays fastest.
   *
   * @return a step whose exponents below the edge are lower bounds of those of this one
   */
  public SgdStep ofFastestDecay() {
    return withL2(fastestL2);
  }

  /**
   * Whether there is a decay that does not act on all parameters.
   *
   * @return true if negative exponents are bounds for that reason
   */
  public boolean hasUnevenDecay() {
    return decaysInPart && fastestL2 + weightDecay > 0;
  }

  /**
   * The step that does to 2⁻ᵏ·G what this one does to G: learning rate times 2ᵏ, penalties times
   * 2⁻ᵏ. Exact where nothing under- or overflows.
   *
   * @param exponent k
   * @return the step in other units
   * @throws IllegalArgumentException if the learning rate or a penalty overflows, or a learning
   *     rate other than 0 vanishes
   */
  public SgdStep scaled(int exponent) {
    double rate = Math.scalb(learningRate, exponent);
    if (rate == 0 && learningRate > 0) {
      throw new IllegalArgumentException(
          "learning rate × curvature must be 0 or at least 1e-308, got "
              + learningRate
              + " × about 2^"
              + exponent
              + ", a step that changes nothing; use a larger learning rate, or 0");
    }
    return new SgdStep(
        rate,
        batchSize,
        sampling,
        momentum,
        Math.scalb(l2, -exponent),
        Math.scalb(weightDecay, -exponent),
        decaysInPart,
        Math.scalb(fastestL2, -exponent));
  }

  /**
   * Whether this is plain SGD: no momentum, no l2, no weight decay.
   *
   * @return true for the step of the paper
   */
  public boolean isPlain() {
    return momentum instanceof Momentum.None && l2 == 0 && weightDecay == 0;
  }

  /**
   * Whether every step uses all N examples once, so that the dynamics are deterministic.
   *
   * @param examples N
   * @return true if B = N and the scheme draws without replacement
   */
  public boolean isFullBatch(int examples) {
    return batchSize == examples && sampling != MiniBatchSampling.IID_WITH_REPLACEMENT;
  }

  /**
   * The step in one sentence.
   *
   * @return for people
   */
  @Override
  public String toString() {
    StringBuilder text =
        new StringBuilder(
            String.format(
                Locale.ROOT,
                "SGD, learning rate %s, batch size %d (%s)",
                learningRate,
                batchSize,
                sampling));
    if (!(momentum instanceof Momentum.None)) {
      text.append(", ").append(momentum);
    }
    if (l2 > 0) {
      text.append(", l2 ").append(l2);
    }
    if (weightDecay > 0) {
      text.append(", weight decay ").append(weightDecay);
    }
    if (hasUnevenDecay()) {
      text.append(" (not of all parameters)");
    }
    return text.toString();
  }

  static void requirePenalty(String name, double value) {
    if (!(value >= 0 && value < Double.POSITIVE_INFINITY)) {
      throw new IllegalArgumentException(name + " must be finite and at least 0, got " + value);
    }
  }
}
