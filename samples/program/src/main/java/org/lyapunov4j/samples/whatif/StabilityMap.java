// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.samples.whatif;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.CancellationException;
import java.util.function.BiFunction;
import java.util.function.DoubleFunction;
import java.util.function.Function;
import org.lyapunov4j.exponent.FullBatchExponent;
import org.lyapunov4j.exponent.LyapunovExponent;
import org.lyapunov4j.stability.MeanSquareReport;
import org.lyapunov4j.stability.StabilityReport;
import org.lyapunov4j.step.Momentum;
import org.lyapunov4j.step.SgdStep;

/**
 * One Gram matrix under learning rates × batch sizes, for each of some momenta.
 *
 * @param rates η, ascending
 * @param batches B, ascending
 * @param sheets one for each momentum
 */
record StabilityMap(List<Double> rates, List<Integer> batches, List<Sheet> sheets) {
  /** Points of a grid that nobody asked for otherwise, and how far it reaches. */
  private static final int USUAL_POINTS = 13;

  private static final double BELOW_LOWEST_EDGE = 4;
  private static final double ABOVE_HIGHEST_EDGE = 2;

  /** {@inheritDoc} */
  StabilityMap {
    rates = List.copyOf(rates);
    batches = List.copyOf(batches);
    sheets = List.copyOf(sheets);
  }

  /**
   * All of one momentum.
   *
   * @param momentum of the steps
   * @param reports by rate, then by batch size
   */
  record Sheet(Momentum momentum, List<List<StabilityReport>> reports) {
    StabilityReport at(int rate, int batch) {
      return reports.get(rate).get(batch);
    }

    /** The critical rates of every batch size. */
    List<Edges> edges() {
      return reports.get(0).stream().map(Edges::of).toList();
    }
  }

  /**
   * Critical learning rates at one batch size; NaN where there is none.
   *
   * @param batchSize B
   * @param low lower end of the interval of η_c
   * @param critical η_c
   * @param high upper end
   * @param meanSquare η_ms
   * @param fullBatch that of gradient descent, 2/sharpness without momentum
   */
  record Edges(
      int batchSize,
      double low,
      double critical,
      double high,
      double meanSquare,
      double fullBatch) {
    static Edges of(StabilityReport report) {
      var critical = report.criticalLearningRate();
      return new Edges(
          report.step().batchSize(),
          critical.map(rate -> rate.low()).orElse(Double.NaN),
          critical.map(rate -> rate.value()).orElse(Double.NaN),
          critical.map(rate -> rate.high()).orElse(Double.NaN),
          report
              .meanSquare()
              .map(MeanSquareReport::criticalLearningRate)
              .map(rate -> rate.value())
              .orElse(Double.NaN),
          FullBatchExponent.criticalLearningRate(report.sharpness(), report.step()));
    }
  }

  /**
   * Draws a map.
   *
   * @param analysis of the Gram matrix; throws {@link CancellationException} to end with what is
   *     complete: the sheets that are, or the rows of the first
   * @param base everything of the step but rate, batch size and momentum
   * @param momenta of the sheets
   * @param batches ascending
   * @param wanted learning rates, ascending; empty for those around the edges
   * @param fullBatch 2/sharpness, where the search for the edges starts
   */
  static StabilityMap of(
      Function<SgdStep, StabilityReport> analysis,
      SgdStep base,
      List<Momentum> momenta,
      List<Integer> batches,
      List<Double> wanted,
      double fullBatch) {
    BiFunction<Momentum, Double, List<StabilityReport>> row =
        (momentum, rate) ->
            batches.stream()
                .map(
                    batch ->
                        analysis.apply(
                            base.withMomentum(momentum)
                                .withLearningRate(rate)
                                .withBatchSize(batch)))
                .toList();
    List<Double> rates = wanted;
    if (wanted.isEmpty()) {
      List<List<StabilityReport>> first =
          rows(
              List.of(fullBatch),
              rate ->
                  momenta.stream()
                      .flatMap(momentum -> row.apply(momentum, rate).stream())
                      .toList());
      rates = first.isEmpty() ? List.of() : around(first.get(0).stream().map(Edges::of).toList());
    }
    List<Sheet> sheets = new ArrayList<>();
    for (Momentum momentum : momenta) {
      List<List<StabilityReport>> rows = rows(rates, rate -> row.apply(momentum, rate));
      if (rows.size() == rates.size() || sheets.isEmpty()) {
        sheets.add(new Sheet(momentum, rows));
      }
      if (rows.size() < rates.size()) {
        break;
      }
    }
    return new StabilityMap(rates.subList(0, sheets.get(0).reports().size()), batches, sheets);
  }

  /** As many as there is time for. */
  private static List<List<StabilityReport>> rows(
      List<Double> rates, DoubleFunction<List<StabilityReport>> row) {
    List<List<StabilityReport>> rows = new ArrayList<>();
    try {
      for (double rate : rates) {
        rows.add(row.apply(rate));
      }
    } catch (CancellationException e) {
      // What is complete is shown.
    }
    return rows;
  }

  boolean isEmpty() {
    return rates.isEmpty();
  }

  /** How many reports {@link #of} asks for. */
  static int reports(int momenta, int batches, int wanted) {
    return momenta * batches * (wanted == 0 ? 1 + USUAL_POINTS : wanted);
  }

  /** From a quarter of the lowest edge to twice the highest, evenly in the logarithm. */
  private static List<Double> around(List<Edges> edges) {
    double[] known =
        edges.stream()
            .mapToDouble(Edges::critical)
            .filter(rate -> rate > 0 && Double.isFinite(rate))
            .sorted()
            .toArray();
    double[] found = known.length > 0 ? known : new double[] {edges.get(0).fullBatch()};
    double low = found[0] / BELOW_LOWEST_EDGE;
    double high = found[found.length - 1] * ABOVE_HIGHEST_EDGE;
    double ratio = Math.log(high / low) / (USUAL_POINTS - 1);
    double[] rates = new double[USUAL_POINTS];
    for (int i = 0; i < USUAL_POINTS; i++) {
      rates[i] = twoDigits(low * Math.exp(i * ratio));
    }
    return Arrays.stream(rates).boxed().distinct().toList();
  }

  /** Rates that people can type. */
  private static double twoDigits(double rate) {
    return Double.parseDouble(String.format(Locale.ROOT, "%.1e", rate));
  }

  /** λ of all steps. */
  List<LyapunovExponent> exponents() {
    List<LyapunovExponent> all = new ArrayList<>();
    for (Sheet sheet : sheets) {
      sheet.reports().forEach(row -> row.forEach(report -> all.add(report.exponent())));
    }
    return Collections.unmodifiableList(all);
  }
}
