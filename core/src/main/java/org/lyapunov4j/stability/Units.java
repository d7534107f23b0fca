// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.stability;

import java.util.List;
import java.util.Locale;
import java.util.OptionalDouble;
import org.lyapunov4j.exponent.FullBatchExponent;
import org.lyapunov4j.gram.GramDiagnosis;
import org.lyapunov4j.gram.GramMatrix;
import org.lyapunov4j.step.GroupedStep;
import org.lyapunov4j.step.SgdStep;

/**
 * The units an analysis works in: (2⁻ᵏG, 2ᵏη) has the exponents of (G, η). With k the {@linkplain
 * GramMatrix#exponent() exponent} of G nothing overflows on the way, and since powers of two are
 * exact, matrices that differ by one of them have the same report to the last bit.
 */
record Units(GramMatrix gram, int exponent) {
  /**
   * Powers and squares of these products, times sizes of matrices, remain normal numbers. No
   * training is this far from its edge.
   */
  private static final double LARGEST_PRODUCT = 0x1p200;

  private static final double LEAST_PRODUCT = 0x1p-200;

  static Units of(GramMatrix gram) {
    return new Units(gram.normalised(), gram.exponent());
  }

  /**
   * The step in these units.
   *
   * @throws IllegalArgumentException if it is so far from any edge that no arithmetic in double
   *     precision tells anything
   */
  SgdStep step(SgdStep step) {
    // in the units of the user, who reads its message
    FullBatchExponent.criticalCurvature(step);
    double rate = Math.scalb(step.learningRate(), exponent);
    if (rate > LARGEST_PRODUCT) {
      throw new IllegalArgumentException(
          product(
              step,
              "at most " + LARGEST_PRODUCT,
              "the step leaves every minimum at once, as where training has diverged; lower the"
                  + " learning rate"));
    }
    if (rate < LEAST_PRODUCT && step.learningRate() > 0) {
      throw new IllegalArgumentException(
          product(
              step,
              "0 or at least " + LEAST_PRODUCT,
              "the step changes nothing in double precision; use a larger learning rate, or 0"));
    }
    double decay = step.learningRate() * (step.l2() + step.weightDecay());
    if (!(decay <= LARGEST_PRODUCT)) {
      throw new IllegalArgumentException(
          "learning rate × (l2 + weight decay) must be at most "
              + LARGEST_PRODUCT
              + ", got "
              + step
              + "; lower it");
    }
    return step.scaled(exponent);
  }

  /**
   * Groups in these units.
   *
   * @throws IllegalArgumentException as {@link #step(SgdStep)}, of any group
   */
  GroupedStep step(GroupedStep step) {
    step(step.common());
    for (int h = 0; h < step.groups().size(); h++) {
      step(step.of(h));
    }
    return step.scaled(exponent);
  }

  /** Refuses what cannot be a Gram matrix; all in these units. */
  void requireNonnegative(double lowest, double largest, double noise) {
    if (lowest < -noise) {
      throw new IllegalArgumentException(
          String.format(
              Locale.ROOT,
              "a Gram matrix must be positive semidefinite, got the eigenvalue %.6g or lower beside"
                  + " the largest %.6g, where rounding explains no more than %.1e; it must be a"
                  + " product F·Fᵀ, example by example: transpose a kernel of shape [N, N, K, K] by"
                  + " (0, 2, 1, 3) before the reshape to [N·K, N·K], and store what was computed in"
                  + " single precision in single precision",
              Math.scalb(lowest, exponent),
              Math.scalb(largest, exponent),
              Math.scalb(noise, exponent)));
    }
  }

  private String product(SgdStep step, String rule, String remedy) {
    return String.format(
        Locale.ROOT,
        "learning rate × largest entry of the Gram matrix must be %s, got %s × about 2^%d (%.0e): %s",
        rule,
        step.learningRate(),
        exponent,
        Math.scalb(1.0, exponent),
        remedy);
  }

  /** A curvature of G from one of 2⁻ᵏG. */
  double curvature(double scaled) {
    return scaled(scaled, exponent, "sharpness");
  }

  /** A learning rate for G from one for 2⁻ᵏG. */
  double rate(double scaled) {
    return scaled(scaled, -exponent, "critical learning rate");
  }

  private static double scaled(double value, int exponent, String name) {
    double result = Math.scalb(value, exponent);
    boolean lost =
        Double.isInfinite(result) != Double.isInfinite(value) || (result == 0) != (value == 0);
    if (lost) {
      throw new IllegalArgumentException(
          String.format(
              Locale.ROOT,
              "the %s of a Gram matrix must be a number of double precision, got %.3g × 2^%d; bring"
                  + " the entries of the Gram matrix nearer to 1, and divide the learning rate by the"
                  + " same factor",
              name,
              value,
              exponent));
    }
    return result;
  }

  Enclosure rate(Enclosure scaled) {
    return new Enclosure(rate(scaled.value()), rate(scaled.low()), rate(scaled.high()));
  }

  MeanSquareReport report(MeanSquareReport scaled) {
    return new MeanSquareReport(
        scaled.index(),
        scaled.exponent(),
        rate(scaled.criticalLearningRate()),
        scaled.criticalBatchSize());
  }

  CriticalLearningRate rate(CriticalLearningRate scaled) {
    List<CriticalLearningRate.Evaluation> evaluations =
        scaled.evaluations().stream()
            .map(
                at ->
                    new CriticalLearningRate.Evaluation(
                        rate(at.learningRate()),
                        at.exponent(),
                        at.standardError(),
                        at.isPositive(),
                        at.isNegative()))
            .toList();
    return new CriticalLearningRate(
        rate(scaled.value()),
        rate(scaled.low()),
        rate(scaled.high()),
        scaled.isExact(),
        evaluations);
  }

  /** A track in these units from one in the user's. */
  EdgeTrack inward(EdgeTrack track) {
    return scaled(track, exponent);
  }

  /** A track in the user's units from one in these. */
  EdgeTrack outward(EdgeTrack track) {
    return scaled(track, -exponent);
  }

  private static EdgeTrack scaled(EdgeTrack track, int exponent) {
    CriticalLearningRate edge = track.edge();
    return new EdgeTrack(
        new CriticalLearningRate(
            Math.scalb(edge.value(), exponent),
            Math.scalb(edge.low(), exponent),
            Math.scalb(edge.high(), exponent),
            edge.isExact(),
            List.of()),
        track.step().scaled(exponent),
        scaled(track.scale(), exponent, "scale of the edge"),
        track.isCertified(),
        track.direction());
  }

  /** Most compare products of rate and curvature, which have no unit. */
  Certificate certificate(Certificate scaled) {
    return scaled.kind() != Certificate.Kind.FULL_BATCH
        ? scaled
        : new Certificate(
            scaled.kind(),
            scaled.sign(),
            scaled.meanSquareStable(),
            curvature(scaled.value()),
            Math.scalb(scaled.threshold(), exponent));
  }

  GramDiagnosis diagnosis(GramDiagnosis scaled) {
    return new GramDiagnosis(
        scaled.rank(),
        scaled.size(),
        curvature(scaled.largest()),
        scaled.smallestNonzero().isPresent()
            ? OptionalDouble.of(Math.scalb(scaled.smallestNonzero().getAsDouble(), exponent))
            : OptionalDouble.empty(),
        scaled.conditionNumber(),
        Math.scalb(scaled.lowest(), exponent),
        scaled.asymmetry(),
        scaled.isPositiveSemidefinite(),
        scaled.components(),
        scaled.weakestLink(),
        scaled.duplicates(),
        scaled.singularityMargin(),
        scaled.reflectionMargin());
  }
}
