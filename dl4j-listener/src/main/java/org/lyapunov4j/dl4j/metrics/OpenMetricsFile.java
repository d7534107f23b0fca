// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.dl4j.metrics;

import io.micrometer.core.instrument.Meter;
import io.micrometer.prometheusmetrics.PrometheusNamingConvention;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.io.Writer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.function.ToDoubleFunction;
import org.lyapunov4j.dl4j.checkpoint.Checkpoint;
import org.lyapunov4j.dl4j.checkpoint.CheckpointDocument;
import org.lyapunov4j.dl4j.step.Level;
import org.lyapunov4j.stability.Verdict;

/**
 * Writes checkpoints as an OpenMetrics text file, each with its own time, for jobs too short to be
 * scraped:
 *
 * <pre>{@code
 * promtool tsdb create-blocks-from openmetrics run.om DATA_FOLDER
 * }</pre>
 *
 * <p>fills a Prometheus data folder with them. Names and values are those of {@link MetricsSink}
 * and of {@value MetricsSink#VERDICT_STATE}, so that a dashboard made for live metrics shows them
 * too.
 *
 * <p>Needs {@code micrometer-registry-prometheus}, which this library does not bring along.
 */
public final class OpenMetricsFile {
  private static final PrometheusNamingConvention NAMES = new PrometheusNamingConvention();

  private OpenMetricsFile() {}

  /**
   * Writes a file, replacing one that is there.
   *
   * @param file where
   * @param checkpoints for example {@code listener.history()}, of one run or of several
   * @throws UncheckedIOException if the file cannot be written
   */
  public static void write(Path file, List<Checkpoint> checkpoints) {
    try (Writer out = Files.newBufferedWriter(file, StandardCharsets.UTF_8)) {
      write(out, checkpoints);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /**
   * Writes the text of such a file.
   *
   * @param out where; not closed
   * @param checkpoints for example {@code listener.history()}, of one run or of several
   * @throws IOException if it cannot be written
   */
  public static void write(Writer out, List<Checkpoint> checkpoints) throws IOException {
    List<CheckpointDocument> ordered =
        checkpoints.stream()
            .sorted(Comparator.comparing(Checkpoint::run).thenComparing(Checkpoint::time))
            .map(CheckpointDocument::of)
            .toList();
    for (LyapunovGauge gauge : LyapunovGauge.values()) {
      String name = NAMES.name(gauge.meterName(), Meter.Type.GAUGE, gauge.unit());
      family(out, name, gauge.description());
      series(out, name, "", ordered, gauge::of);
    }
    String name = NAMES.name(MetricsSink.VERDICT_STATE, Meter.Type.GAUGE, null);
    family(out, name, "1 for the verdict of the checkpoint, else 0");
    for (Verdict.Kind kind : Verdict.Kind.values()) {
      String state =
          "," + MetricsSink.STATE_TAG + "=\"" + kind.name().toLowerCase(Locale.ROOT) + "\"";
      series(
          out, name, state, ordered, d -> d.hasStability() ? is(d, "verdict", kind) : Double.NaN);
    }
    String level = NAMES.name(MetricsSink.LEVEL, Meter.Type.GAUGE, null);
    family(out, level, "1 for the level of the checkpoint, else 0");
    for (Level.Kind kind : Level.Kind.values()) {
      String label =
          "," + MetricsSink.LEVEL_TAG + "=\"" + kind.name().toLowerCase(Locale.ROOT) + "\"";
      series(out, level, label, ordered, d -> is(d, "level.kind", kind));
    }
    out.write("# EOF\n");
  }

  private static double is(CheckpointDocument document, String key, Enum<?> kind) {
    return document.text(key).filter(kind.name()::equals).isPresent() ? 1 : 0;
  }

  private static void family(Writer out, String name, String description) throws IOException {
    out.write("# TYPE " + name + " gauge\n# HELP " + name + " " + description + "\n");
  }

  private static void series(
      Writer out,
      String name,
      String furtherLabels,
      List<CheckpointDocument> checkpoints,
      ToDoubleFunction<CheckpointDocument> value)
      throws IOException {
    for (CheckpointDocument checkpoint : checkpoints) {
      double number = value.applyAsDouble(checkpoint);
      if (!Double.isNaN(number)) {
        out.write(
            name
                + "{"
                + MetricsSink.RUN_TAG
                + "=\""
                + escape(checkpoint.text("run").orElseThrow())
                + "\""
                + furtherLabels
                + "} "
                + text(number)
                + " "
                + seconds(checkpoint.time("time").orElseThrow())
                + "\n");
      }
    }
  }

  private static String escape(String label) {
    return label.replace("\\", "\\\\").replace("\n", "\\n").replace("\"", "\\\"");
  }

  private static String text(double number) {
    return Double.isInfinite(number) ? (number > 0 ? "+Inf" : "-Inf") : Double.toString(number);
  }

  private static String seconds(Instant time) {
    return String.format(Locale.ROOT, "%d.%03d", time.getEpochSecond(), time.getNano() / 1_000_000);
  }
}
