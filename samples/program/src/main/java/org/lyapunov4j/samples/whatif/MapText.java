// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.samples.whatif;

import java.math.BigDecimal;
import java.math.MathContext;
import java.util.List;
import java.util.Locale;
import java.util.OptionalDouble;
import java.util.function.Function;
import java.util.stream.Collectors;
import org.lyapunov4j.dl4j.checkpoint.CheckpointDocument;
import org.lyapunov4j.exponent.ExponentBound;
import org.lyapunov4j.exponent.LyapunovExponent;
import org.lyapunov4j.exponent.Sign;
import org.lyapunov4j.samples.whatif.StabilityMap.Edges;
import org.lyapunov4j.samples.whatif.StabilityMap.Sheet;
import org.lyapunov4j.stability.StabilityReport;
import org.lyapunov4j.stability.Verdict;

/** A map as tables for people, as CSV and as JSON. */
final class MapText {
  private static final String CSV_HEADER =
      "momentum,batch_size,learning_rate,exponent,standard_error,low,high,verdict,edge_ratio,"
          + "critical_rate,critical_low,critical_high,mean_square_rate,full_batch_rate";

  private MapText() {}

  /** Letters of the verdicts in tables. */
  static String letter(Verdict.Kind kind) {
    return switch (kind) {
      case STABLE -> "S";
      case MEAN_SQUARE_UNSTABLE -> "M";
      case AT_EDGE -> "E";
      case UNSTABLE -> "U";
      case INCONCLUSIVE, WARMING_UP -> "?";
    };
  }

  /** Three digits, without zeros behind them. */
  static String rate(double rate) {
    BigDecimal rounded = new BigDecimal(rate).round(new MathContext(3)).stripTrailingZeros();
    return rate < 1e-4 || rate >= 1e6 ? rounded.toString() : rounded.toPlainString();
  }

  /** Two digits; of bounds the lower one, with a sign, if they tell the sign of λ. */
  static String number(LyapunovExponent exponent) {
    if (exponent instanceof ExponentBound bound) {
      return bound.sign() == Sign.UNDECIDED ? "" : String.format(Locale.ROOT, ">%.1e", bound.low());
    }
    return String.format(Locale.ROOT, "%+.1e", exponent.point().orElseThrow());
  }

  static String tables(StabilityMap map) {
    StringBuilder text = new StringBuilder();
    for (Sheet sheet : map.sheets()) {
      text.append(String.format("%nη/η_c, %s%n", sheet.momentum()));
      table(
          text,
          map,
          sheet,
          report ->
              report.edgeRatio().isPresent()
                  ? String.format(Locale.ROOT, "%.3f", report.edgeRatio().getAsDouble())
                  : "-");
      text.append(String.format("%nλ in nats per step, %s%n", sheet.momentum()));
      table(
          text,
          map,
          sheet,
          report -> number(report.exponent()) + " " + letter(report.verdict().kind()));
      text.append(
          "S stable, M stable but not in mean square, U unstable, ? undecided, > a bound alone\n");
      edges(text, sheet);
    }
    return text.toString();
  }

  private static void table(
      StringBuilder text, StabilityMap map, Sheet sheet, Function<StabilityReport, String> cell) {
    text.append(String.format("%9s", "η \\ B"));
    map.batches().forEach(batch -> text.append(String.format("%12d", batch)));
    text.append('\n');
    for (int row = map.rates().size() - 1; row >= 0; row--) {
      text.append(String.format("%9s", rate(map.rates().get(row))));
      sheet
          .reports()
          .get(row)
          .forEach(report -> text.append(String.format("%12s", cell.apply(report))));
      text.append('\n');
    }
  }

  private static void edges(StringBuilder text, Sheet sheet) {
    text.append(
        String.format("%n%9s%12s%25s%12s%14s%n", "B", "η_c", "interval", "η_ms", "full batch"));
    for (Edges edges : sheet.edges()) {
      text.append(
          String.format(
              Locale.ROOT,
              "%9d%12.4g%25s%12s%14.4g%n",
              edges.batchSize(),
              edges.critical(),
              String.format(Locale.ROOT, "[%.4g, %.4g]", edges.low(), edges.high()),
              Double.isNaN(edges.meanSquare())
                  ? "-"
                  : String.format(Locale.ROOT, "%.4g", edges.meanSquare()),
              edges.fullBatch()));
    }
  }

  static String csv(StabilityMap map) {
    StringBuilder text = new StringBuilder(CSV_HEADER).append('\n');
    for (Sheet sheet : map.sheets()) {
      List<Edges> edges = sheet.edges();
      for (int row = 0; row < map.rates().size(); row++) {
        for (int column = 0; column < map.batches().size(); column++) {
          line(text, sheet, sheet.at(row, column), edges.get(column));
        }
      }
    }
    return text.toString();
  }

  private static void line(StringBuilder text, Sheet sheet, StabilityReport report, Edges edges) {
    text.append('"').append(sheet.momentum()).append("\",");
    text.append(report.step().batchSize()).append(',');
    text.append(report.step().learningRate()).append(',');
    text.append(orEmpty(report.exponent().point())).append(',');
    text.append(orEmpty(report.exponent().error())).append(',');
    text.append(report.exponent().low()).append(',');
    text.append(report.exponent().high()).append(',');
    text.append(report.verdict().kind()).append(',');
    text.append(
        List.of(
                report.edgeRatio().orElse(Double.NaN),
                edges.critical(),
                edges.low(),
                edges.high(),
                edges.meanSquare(),
                edges.fullBatch())
            .stream()
            .map(value -> Double.isNaN(value) ? "" : value.toString())
            .collect(Collectors.joining(",")));
    text.append('\n');
  }

  /** A bound has neither a value nor a standard error. */
  private static String orEmpty(OptionalDouble value) {
    return value.isPresent() ? String.valueOf(value.getAsDouble()) : "";
  }

  /**
   * A map as JSON.
   *
   * @param examples N
   * @param outputs K
   * @param sampling short name of the scheme
   * @param seed of the estimates
   * @param sheets by momentum
   */
  record MapRecord(
      int examples, int outputs, String sampling, long seed, List<SheetRecord> sheets) {
    /** {@inheritDoc} */
    MapRecord {
      sheets = List.copyOf(sheets);
    }

    static MapRecord of(StabilityMap map, long seed) {
      StabilityReport any = map.sheets().get(0).at(0, 0);
      return new MapRecord(
          any.examples(),
          any.outputs(),
          any.step().sampling().id(),
          seed,
          map.sheets().stream().map(SheetRecord::of).toList());
    }
  }

  /**
   * One momentum.
   *
   * @param momentum in words
   * @param edges critical learning rates by batch size
   * @param steps what was found, by learning rate, then by batch size
   */
  record SheetRecord(String momentum, List<Edges> edges, List<CheckpointDocument> steps) {
    /** {@inheritDoc} */
    SheetRecord {
      edges = List.copyOf(edges);
      steps = List.copyOf(steps);
    }

    static SheetRecord of(Sheet sheet) {
      return new SheetRecord(
          sheet.momentum().toString(),
          sheet.edges(),
          sheet.reports().stream().flatMap(List::stream).map(CheckpointDocument::of).toList());
    }
  }
}
