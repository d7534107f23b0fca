// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.dl4j.record;

import org.nd4j.shade.jackson.annotation.JsonCreator;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.OptionalDouble;
import org.lyapunov4j.exponent.Estimate;
import org.lyapunov4j.exponent.ExponentBound;
import org.lyapunov4j.exponent.FiniteTimeExponents;
import org.lyapunov4j.exponent.LyapunovEstimate;
import org.lyapunov4j.exponent.LyapunovExponent;
import org.lyapunov4j.exponent.LyapunovSpectrum;
import org.lyapunov4j.exponent.Sign;
import org.lyapunov4j.gram.GramDiagnosis;
import org.lyapunov4j.stability.CriticalLearningRate;
import org.lyapunov4j.stability.MeanSquareReport;
import org.lyapunov4j.stability.StabilityReport;
import org.lyapunov4j.stability.Verdict;

/**
 * The stability of one Gram matrix under one step, as JSON. Fields that were not computed are
 * absent.
 *
 * @param examples N
 * @param outputs K
 * @param batchSize B
 * @param learningRate η
 * @param sampling short name of the scheme
 * @param exponent λ, nats per step
 * @param gdExponent μ, nats per step
 * @param sharpness largest eigenvalue of G/N
 * @param classicEdgeRatio sharpness over what full-batch descent tolerates; η·sharpness/2 for plain
 *     SGD
 * @param verdict STABLE, MEAN_SQUARE_UNSTABLE, AT_EDGE, UNSTABLE, INCONCLUSIVE or WARMING_UP
 * @param evidence what decided it
 * @param certificate the rigorous bound that decides the sign of λ
 * @param meanSquare mean-square stability
 * @param criticalLearningRate η_c with its interval
 * @param edgeRatio η/η_c
 * @param criticalBatchSize smallest stable batch size at this learning rate
 * @param rank numerical rank of G
 * @param conditionNumber of G on its range
 * @param sumOfExponents E log|det| of a step, nats per step
 * @param stopReason why the sampling of λ ended; absent unless λ is an estimate
 * @param seconds the analysis took
 * @param spectrum the largest Lyapunov exponents, if they were asked for
 * @param moments moment exponents Λ(p), if they were asked for
 * @param finiteTime the distribution of finite-time exponents, if it was asked for
 * @param remarks what native code got wrong and what took its place; absent if nothing
 */
public record StabilityRecord(
    int examples,
    int outputs,
    int batchSize,
    double learningRate,
    String sampling,
    Exponent exponent,
    Exponent gdExponent,
    double sharpness,
    double classicEdgeRatio,
    String verdict,
    String evidence,
    String certificate,
    MeanSquare meanSquare,
    CriticalRate criticalLearningRate,
    Double edgeRatio,
    Integer criticalBatchSize,
    Integer rank,
    Double conditionNumber,
    Sum sumOfExponents,
    String stopReason,
    Double seconds,
    Spectrum spectrum,
    List<Moment> moments,
    FiniteTime finiteTime,
    List<String> remarks) {
  /** {@inheritDoc} */
  public StabilityRecord {
    Objects.requireNonNull(exponent, "exponent");
    Objects.requireNonNull(gdExponent, "gdExponent");
    Objects.requireNonNull(verdict, "verdict");
    moments = moments == null ? null : List.copyOf(moments);
    remarks = remarks == null ? null : List.copyOf(remarks);
  }

  /**
   * Exponents over a finite number of steps, how they scatter.
   *
   * <p>Records of old have no start and no errors.
   *
   * @param start where the realisations started: SLOW_MODE, UNSTABLE_DIRECTION, ISOTROPIC, RESIDUAL
   * @param horizon steps
   * @param mean nats per step
   * @param meanError its standard error
   * @param variance of the exponents at this horizon
   * @param varianceError its standard error
   * @param variancePerStep σ² of the log growth
   * @param variancePerStepError its standard error
   * @param skewness of the growth
   * @param skewnessError its standard error
   * @param probabilityNegative share of realisations that shrank
   * @param low lower end of its 95 % interval
   * @param high upper end
   */
  public record FiniteTime(
      String start,
      int horizon,
      double mean,
      double meanError,
      double variance,
      double varianceError,
      double variancePerStep,
      double variancePerStepError,
      double skewness,
      double skewnessError,
      double probabilityNegative,
      double low,
      double high) {
    /**
     * The record of finite-time exponents.
     *
     * @param exponents what was computed
     * @return the same numbers
     */
    public static FiniteTime of(FiniteTimeExponents exponents) {
      FiniteTimeExponents.Proportion negative = exponents.probabilityNegative();
      return new FiniteTime(
          exponents.start().name(),
          exponents.horizon(),
          exponents.mean().value(),
          exponents.mean().standardError(),
          exponents.variance().value(),
          exponents.variance().standardError(),
          exponents.varianceRate().value(),
          exponents.varianceRate().standardError(),
          exponents.skewness().value(),
          exponents.skewness().standardError(),
          negative.value(),
          negative.low(),
          negative.high());
    }
  }

  /**
   * The largest exponents on the range of G.
   *
   * @param values descending, nats per step
   * @param standardErrors of the values
   * @param dimension how many exponents there are
   * @param kernelDimension how many directions G does not see
   */
  public record Spectrum(
      List<Double> values, List<Double> standardErrors, int dimension, int kernelDimension) {
    /** {@inheritDoc} */
    public Spectrum {
      values = List.copyOf(values);
      standardErrors = List.copyOf(standardErrors);
    }

    static Spectrum of(LyapunovSpectrum spectrum) {
      return new Spectrum(
          spectrum.exponents().stream().map(Estimate::value).toList(),
          spectrum.exponents().stream().map(Estimate::standardError).toList(),
          spectrum.dimension(),
          spectrum.kernelDimension());
    }
  }

  /**
   * One moment exponent.
   *
   * @param order p
   * @param value Λ(p), nats per step
   * @param standardError of the value, 0 if exact
   */
  public record Moment(double order, double value, double standardError) {}

  /**
   * Mean-square stability.
   *
   * @param index below 1 if stable
   * @param exponent Λ(2), nats per step
   * @param criticalLearningRate where the index is 1
   */
  public record MeanSquare(double index, double exponent, double criticalLearningRate) {
    static MeanSquare of(MeanSquareReport report) {
      return new MeanSquare(
          report.index().value(), report.exponent(), report.criticalLearningRate().value());
    }
  }

  /**
   * The learning rate at which λ changes sign.
   *
   * @param value η_c
   * @param low lower end of its interval
   * @param high upper end
   */
  public record CriticalRate(double value, double low, double high) {
    static CriticalRate of(CriticalLearningRate rate) {
      return new CriticalRate(rate.value(), rate.low(), rate.high());
    }
  }

  /**
   * The sum of all exponents.
   *
   * @param value nats per step
   * @param standardError of the value
   */
  public record Sum(double value, double standardError) {
    static Sum of(Estimate estimate) {
      return new Sum(estimate.value(), estimate.standardError());
    }
  }

  /**
   * What is known of an exponent: its value, an estimate with an interval, or bounds alone.
   *
   * @param value the best single number, nats per step; −∞ if the product is 0; absent for a bound
   * @param standardError of the value, 0 if exact; absent for a bound
   * @param low lower end of the 95 % interval, or lower bound
   * @param high upper end of the 95 % interval, or upper bound
   * @param sign POSITIVE, NEGATIVE or UNDECIDED
   * @param branch SLOW or UNSTABLE, the direction an estimate was measured along; absent else
   * @param steps that an estimate was measured over; absent else
   * @param reason why not more is known than bounds; absent else
   */
  public record Exponent(
      Double value,
      Double standardError,
      double low,
      double high,
      String sign,
      String branch,
      Long steps,
      String reason) {
    /** {@inheritDoc} */
    @JsonCreator
    public Exponent {
      if (sign == null) { // until schema 1
        sign = (low > 0 ? Sign.POSITIVE : high < 0 ? Sign.NEGATIVE : Sign.UNDECIDED).name();
      }
    }

    static Exponent of(LyapunovExponent exponent) {
      Optional<LyapunovEstimate> estimate =
          exponent instanceof LyapunovEstimate found ? Optional.of(found) : Optional.empty();
      return new Exponent(
          orNull(exponent.point()),
          orNull(exponent.error()),
          exponent.low(),
          exponent.high(),
          exponent.sign().name(),
          estimate.map(found -> found.branch().name()).orElse(null),
          estimate.map(LyapunovEstimate::steps).orElse(null),
          exponent instanceof ExponentBound bound ? bound.reason() : null);
    }

    /** A bare number, as μ was written until schema 1. */
    @JsonCreator(mode = JsonCreator.Mode.DELEGATING)
    static Exponent exactly(double value) {
      return new Exponent(value, 0.0, value, value, null, null, null, null);
    }

    /** The same where it was infinite. */
    @JsonCreator(mode = JsonCreator.Mode.DELEGATING)
    static Exponent exactly(String value) {
      return exactly(Double.parseDouble(value));
    }
  }

  /**
   * The record of a report.
   *
   * @param report what was computed
   * @return the same numbers
   */
  public static StabilityRecord of(StabilityReport report) {
    return of(report, report.verdict());
  }

  /** The record of a report of a checkpoint, which may conclude less than the report alone. */
  static StabilityRecord of(StabilityReport report, Verdict verdict) {
    return of(report, verdict, null, Optional.empty(), List.of(), Optional.empty());
  }

  /**
   * The record of a report with what was computed beside it.
   *
   * @param report what was computed
   * @param seconds it took; null if nobody asked
   * @param spectrum the largest exponents
   * @param moments moment exponents; empty if none were asked for
   * @param finiteTime finite-time exponents
   * @return the same numbers
   */
  public static StabilityRecord of(
      StabilityReport report,
      Double seconds,
      Optional<LyapunovSpectrum> spectrum,
      List<Moment> moments,
      Optional<FiniteTimeExponents> finiteTime) {
    return of(report, report.verdict(), seconds, spectrum, moments, finiteTime);
  }

  private static StabilityRecord of(
      StabilityReport report,
      Verdict verdict,
      Double seconds,
      Optional<LyapunovSpectrum> spectrum,
      List<Moment> moments,
      Optional<FiniteTimeExponents> finiteTime) {
    return new StabilityRecord(
        report.examples(),
        report.outputs(),
        report.step().batchSize(),
        report.step().learningRate(),
        report.step().sampling().id(),
        Exponent.of(report.exponent()),
        Exponent.of(report.gdExponent()),
        report.sharpness(),
        report.classicEdgeRatio(),
        verdict.kind().name(),
        verdict.evidence(),
        report.certificate().map(certificate -> certificate.kind().name()).orElse(null),
        report.meanSquare().map(MeanSquare::of).orElse(null),
        report.criticalLearningRate().map(CriticalRate::of).orElse(null),
        orNull(report.edgeRatio()),
        report.criticalBatchSize().isPresent() ? report.criticalBatchSize().getAsInt() : null,
        report.diagnosis().map(GramDiagnosis::rank).orElse(null),
        report.diagnosis().map(diagnosis -> orNull(diagnosis.conditionNumber())).orElse(null),
        report.sumOfExponents().map(Sum::of).orElse(null),
        report.exponent() instanceof LyapunovEstimate estimate
            ? estimate.stopReason().name()
            : null,
        seconds,
        spectrum.map(Spectrum::of).orElse(null),
        moments.isEmpty() ? null : List.copyOf(moments),
        finiteTime.map(FiniteTime::of).orElse(null),
        report.remarks().isEmpty() ? null : report.remarks());
  }

  private static Double orNull(OptionalDouble value) {
    return value.isPresent() ? value.getAsDouble() : null;
  }
}
