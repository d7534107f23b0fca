// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.dl4j.checkpoint;

import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Locale;
import java.util.Objects;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.OptionalLong;
import org.lyapunov4j.dl4j.step.Level;
import org.lyapunov4j.dl4j.step.TrainingStep;
import org.lyapunov4j.exponent.FiniteTimeExponents;
import org.lyapunov4j.exponent.LyapunovExponent;
import org.lyapunov4j.exponent.TrajectoryExponent;
import org.lyapunov4j.stability.BatchSharpness;
import org.lyapunov4j.stability.CriticalLearningRate;
import org.lyapunov4j.stability.EdgeForecast;
import org.lyapunov4j.stability.EdgeReport;
import org.lyapunov4j.stability.Findings;
import org.lyapunov4j.stability.ObservedReport;
import org.lyapunov4j.stability.StabilityReport;
import org.lyapunov4j.stability.Tier;
import org.lyapunov4j.stability.Verdict;
import org.lyapunov4j.step.SgdStep;

/**
 * What was found at one iteration of a training run.
 *
 * @param run the name of the run, the value of the metrics' {@code run} tag
 * @param iteration the model's iteration counter; the parameters are those after that step
 * @param epoch the model's epoch counter
 * @param time when the parameters were copied
 * @param loss the model's score on the mini-batch of that iteration, before its step,
 *     regularisation included; NaN if there was no training to see
 * @param probeLoss the mean loss of the probe's examples at these parameters, without
 *     regularisation
 * @param tier how much was computed
 * @param step the training step the stability was computed for
 * @param assumptions what was assumed of the model when the Gram matrix was computed, one sentence
 *     each, for example that dropout was off, and what native code got wrong and what took its
 *     place
 * @param findings what was found at these parameters: exponents, sharpness and verdict, the edge
 *     alone, or what is observed, as the {@link #level} allows
 * @param forecast when the edge ratio reaches 1, from the trend of the latest checkpoints; absent
 *     where there is none
 * @param smallerProbes sharpness and λ, or all of the same if asked for, of a quarter and of half
 *     of the probe's examples, evenly spaced, to judge whether the probe is large enough; empty for
 *     a probe of fewer than 8 examples and if switched off
 * @param batchSharpness the curvature along mini-batch gradients; absent without a curvature
 * @param trajectory the exponent along the trajectory from the checkpoint before to this one;
 *     absent at the first one and unless asked for
 * @param finiteTime how the residual that training has now goes on over a horizon if the Gram
 *     matrix stood still; of the tier FULL and where asked for
 * @param gramBytes the memory that the entries of the Gram matrix take
 * @param gramTime how long the Gram matrix took
 * @param analysisTime how long its analysis took
 */
public record Checkpoint(
    String run,
    int iteration,
    int epoch,
    Instant time,
    double loss,
    double probeLoss,
    Tier tier,
    TrainingStep step,
    List<String> assumptions,
    Findings findings,
    Optional<EdgeForecast> forecast,
    List<StabilityReport> smallerProbes,
    Optional<BatchSharpness> batchSharpness,
    Optional<TrajectoryExponent.Window> trajectory,
    Optional<FiniteTimeExponents> finiteTime,
    long gramBytes,
    Duration gramTime,
    Duration analysisTime) {

  /** {@inheritDoc} */
  public Checkpoint {
    Objects.requireNonNull(run, "run");
    Objects.requireNonNull(time, "time");
    Objects.requireNonNull(tier, "tier");
    Objects.requireNonNull(step, "step");
    assumptions = List.copyOf(assumptions);
    Objects.requireNonNull(findings, "findings");
    Objects.requireNonNull(forecast, "forecast");
    requireLevel(step.level(), findings);
    smallerProbes = List.copyOf(smallerProbes);
    Objects.requireNonNull(batchSharpness, "batchSharpness");
    Objects.requireNonNull(trajectory, "trajectory");
    Objects.requireNonNull(finiteTime, "finiteTime");
    Objects.requireNonNull(gramTime, "gramTime");
    Objects.requireNonNull(analysisTime, "analysisTime");
  }

  private static void requireLevel(Level level, Findings findings) {
    boolean gauge = level instanceof Level.Approximate approximate && approximate.isGauge();
    boolean fits =
        level instanceof Level.Observed
            ? findings instanceof ObservedReport
            : gauge ? findings instanceof EdgeReport : findings instanceof StabilityReport;
    if (!fits) {
      throw new IllegalArgumentException(
          "findings must be what the level allows, got "
              + findings.getClass().getSimpleName()
              + " at "
              + level);
    }
  }

  /**
   * How much can be said of this training.
   *
   * @return the step's level
   */
  public Level level() {
    return step.level();
  }

  /**
   * The findings with λ and a verdict, of all {@link #findings} the fullest.
   *
   * @return exponents, sharpness and verdict of the Gram matrix
   * @throws IllegalStateException where the {@link #level} allows none; ask {@link #hasStability}
   *     before, or switch over {@link #findings}
   */
  public StabilityReport stability() {
    if (findings instanceof StabilityReport report) {
      return report;
    }
    throw new IllegalStateException(
        "this checkpoint must have λ and a verdict to tell them, got "
            + level()
            + "; ask hasStability() before, or switch over findings()");
  }

  /**
   * Whether there are λ and a verdict.
   *
   * @return false at {@link Level.Observed} and for gauges
   */
  public boolean hasStability() {
    return findings instanceof StabilityReport;
  }

  /**
   * How much the sharpness still depends on the size of the probe: its relative change from half of
   * the examples to all.
   *
   * @return |1 − sharpness(N/2)/sharpness(N)|; NaN if no smaller probe was analysed
   */
  public double probeChange() {
    if (smallerProbes.isEmpty()) {
      return Double.NaN;
    }
    double half = smallerProbes.get(smallerProbes.size() - 1).sharpness();
    return Math.abs(1 - half / stability().sharpness());
  }

  /**
   * How much λ still depends on the size of the probe, at the same mini-batch size.
   *
   * @return λ(N) − λ(N/2) in nats per step, each with the error of its estimate; NaN if no smaller
   *     probe was analysed, the mini-batch is larger than half of the probe, or one of the two is
   *     only bounded
   */
  public double probeExponentChange() {
    return comparableHalf().map(half -> point(stability()) - point(half)).orElse(Double.NaN);
  }

  private static double point(StabilityReport report) {
    return report.exponent().point().orElse(Double.NaN);
  }

  /**
   * How much the critical learning rate still depends on the size of the probe, at the same
   * mini-batch size: its relative change from half of the examples to all.
   *
   * @return |1 − η_c(N/2)/η_c(N)|; NaN if it is not known for both, as with the default comparison,
   *     or the mini-batch is larger than half of the probe
   */
  public double probeCriticalLearningRateChange() {
    return comparableHalf()
        .flatMap(StabilityReport::criticalLearningRate)
        .flatMap(
            half ->
                findings
                    .criticalLearningRate()
                    .map(whole -> Math.abs(1 - half.value() / whole.value())))
        .orElse(Double.NaN);
  }

  /**
   * Half of the probe, if it was analysed with the step of the whole.
   *
   * @return the report; absent if there is none or λ would differ for the sampling alone, since the
   *     mini-batch is larger than half of the probe but not than all of it
   */
  public Optional<StabilityReport> comparableHalf() {
    return smallerProbes.stream()
        .skip(Math.max(0, smallerProbes.size() - 1))
        .filter(half -> half.step().equals(stability().step()))
        .findFirst();
  }

  /**
   * What is to be concluded here: the verdict of the stability report, unless the step is that of
   * an updater that is still {@linkplain TrainingStep#warmUp warming up}.
   *
   * @return absent where the {@link #level} allows none
   */
  public Optional<Verdict> verdict() {
    return findings instanceof StabilityReport report
        ? Optional.of(
            step.warmUp()
                .map(why -> new Verdict(Verdict.Kind.WARMING_UP, why, OptionalLong.empty()))
                .orElse(report.verdict()))
        : Optional.empty();
  }

  /**
   * The time the checkpoint took.
   *
   * @return Gram matrix and analysis together
   */
  public Duration computeTime() {
    return gramTime.plus(analysisTime);
  }

  /**
   * The edge ratio in words.
   *
   * @return {@code η/η_c = 0.93 [0.91, 0.95]}, with the interval that follows from that of η_c;
   *     where η_c is not known but η_ms, {@code η/η_c ≤ η/η_ms = 0.97}; else absent
   */
  public Optional<String> edge() {
    String gauge =
        findings instanceof EdgeReport report
            ? " within a factor of " + Double.toString(report.factor()).replaceFirst("\\.0$", "")
            : "";
    return findings
        .criticalLearningRate()
        .map(critical -> edge(critical, step.sgd()) + gauge)
        .or(this::meanSquareEdge);
  }

  private Optional<String> meanSquareEdge() {
    OptionalDouble ratio =
        findings instanceof StabilityReport report
            ? report.meanSquareEdgeRatio()
            : OptionalDouble.empty();
    return ratio.isPresent()
        ? Optional.of(String.format(Locale.ROOT, "η/η_c ≤ η/η_ms = %.3g", ratio.getAsDouble()))
        : Optional.empty();
  }

  private static String edge(CriticalLearningRate critical, SgdStep step) {
    double rate = step.learningRate();
    String ratio = String.format(Locale.ROOT, "η/η_c = %.3g", critical.edgeRatio(rate));
    return critical.isExact()
        ? ratio
        : String.format(
            Locale.ROOT,
            "%s [%.3g, %.3g]",
            ratio,
            critical.edgeRatioLow(rate),
            critical.edgeRatioHigh(rate));
  }

  /**
   * What {@link StabilityReport#classicEdgeRatio} is for this step.
   *
   * @return {@code η·sharpness/2} for plain SGD; {@code sharpness/limit} where momentum, decay or
   *     an adaptive updater make the limit another than 2/η of the plain curvature
   */
  public String classicGauge() {
    return step.updater().equals("Sgd") && step.sgd().isPlain()
        ? "η·sharpness/2"
        : "sharpness/limit";
  }

  /**
   * The checkpoint on one line: iteration, edge ratio, verdict, loss, exponents in nats per step,
   * classic gauge, cost, forecast.
   *
   * @return for people
   */
  @Override
  public String toString() {
    return String.format(
        Locale.ROOT,
        "iteration %d: %s%s, loss %.4g%s (%d ms)%s",
        iteration,
        edge().map(ratio -> ratio + ", ").orElse(""),
        verdict().isPresent() ? verdict().get().kind() : level().kind(),
        loss,
        numbers(),
        computeTime().toMillis(),
        forecast.map(coming -> "; " + coming).orElse(""));
  }

  private String numbers() {
    if (findings instanceof StabilityReport report) {
      return String.format(
          Locale.ROOT,
          ", %s, %s nats/step, %s = %.4f",
          named("λ", report.exponent()),
          named("μ", report.gdExponent()),
          classicGauge(),
          report.classicEdgeRatio());
    }
    if (findings instanceof EdgeReport report) {
      return String.format(Locale.ROOT, ", %s = %.4f", classicGauge(), report.classicEdgeRatio());
    }
    ObservedReport report = (ObservedReport) findings;
    return named("sharpness", report.measuredSharpness())
        + named("largest eigenvalue of the plain kernel over N", report.kernel())
        + named("loss over its floor", report.floorRatio());
  }

  private static String named(String name, OptionalDouble value) {
    return value.isPresent()
        ? String.format(Locale.ROOT, ", %s = %.4g", name, value.getAsDouble())
        : "";
  }

  private static String named(String name, LyapunovExponent exponent) {
    return name + (exponent.point().isPresent() ? " = " : " ") + exponent;
  }
}
