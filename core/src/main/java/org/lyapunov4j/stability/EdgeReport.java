// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.stability;

import java.util.List;
import java.util.Locale;
import java.util.Objects;
import java.util.Optional;
import java.util.OptionalDouble;
import org.lyapunov4j.step.SgdStep;

/**
 * The edge ratio as a gauge, of a step whose linearisation is not known well enough for λ and a
 * verdict; {@link StabilityAnalyzer#trackEdge} makes it.
 *
 * @param examples N
 * @param outputs K
 * @param step the step that stands for that of training
 * @param sharpness κ_max/N
 * @param classicEdgeRatio sharpness over what full-batch descent tolerates
 * @param criticalLearningRate η_c of the step, with the interval of its estimate alone
 * @param factor what the edge ratio is right within, above 1
 * @param remarks a sentence each
 */
public record EdgeReport(
    int examples,
    int outputs,
    SgdStep step,
    double sharpness,
    double classicEdgeRatio,
    Optional<CriticalLearningRate> criticalLearningRate,
    double factor,
    List<String> remarks)
    implements Findings {
  /** {@inheritDoc} */
  public EdgeReport {
    Objects.requireNonNull(step, "step");
    Objects.requireNonNull(criticalLearningRate, "criticalLearningRate");
    if (!(factor > 1 && factor < Double.POSITIVE_INFINITY)) {
      throw new IllegalArgumentException(
          "the factor of a gauge must be finite and above 1, got " + factor);
    }
    if (!(sharpness >= 0 && classicEdgeRatio >= 0)) {
      throw new IllegalArgumentException(
          String.format(
              Locale.ROOT,
              "sharpness and its ratio must be at least 0, got %s and %s",
              sharpness,
              classicEdgeRatio));
    }
    remarks = List.copyOf(remarks);
  }

  @Override
  public OptionalDouble measuredSharpness() {
    return OptionalDouble.of(sharpness);
  }

  /**
   * The edge ratio η/η_c.
   *
   * @return the ratio, right within {@link #factor}; absent without a critical learning rate
   */
  public OptionalDouble edgeRatio() {
    return criticalLearningRate
        .map(critical -> OptionalDouble.of(critical.edgeRatio(step.learningRate())))
        .orElse(OptionalDouble.empty());
  }

  /**
   * Whether training is beyond its edge however wrong the gauge.
   *
   * @return true if the lower end of the ratio's interval, over {@link #factor}, is above 1
   */
  public boolean isBeyondEdge() {
    return criticalLearningRate
        .filter(critical -> critical.edgeRatioLow(step.learningRate()) > factor)
        .isPresent();
  }
}
