// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.samples.report;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.stream.Collectors;
import org.lyapunov4j.dl4j.checkpoint.CheckpointDocument;
import org.lyapunov4j.dl4j.record.NoteLine;
import org.lyapunov4j.dl4j.record.RunLine;
import org.lyapunov4j.samples.cli.EdgeRatio;
import org.lyapunov4j.samples.io.OutputFile;

/**
 * The records of one or several runs as one HTML file that needs nothing else: pictures, the
 * training step, the probe, the history of verdicts and what the numbers mean.
 *
 * <pre>{@code
 * StabilityReportPage.of(List.of(RunHistory.read(Path.of("run.jsonl")))).write(Path.of("run.html"));
 * }</pre>
 */
public final class StabilityReportPage {
  private static final String STYLE =
      """
      :root { color-scheme: light dark; --text: #1b1b1b; --muted: #5a5a5a; --page: #fbfbfa; --card: #fff; --line: #dcdcd8; }
      @media (prefers-color-scheme: dark) { :root { --text: #ececec; --muted: #a8a8a8; --page: #161718; --card: #202224; --line: #3a3c3e; } }
      body { font: 16px/1.5 system-ui, sans-serif; color: var(--text); background: var(--page); margin: 2rem auto; max-width: 920px; padding: 0 1rem; }
      h1 { font-size: 1.6rem; } h2 { font-size: 1.2rem; margin-top: 2.2rem; } h3 { font-size: 1rem; margin-bottom: .2rem; }
      figure { margin: 1rem 0; } figure svg { width: 100%; height: auto; background: #fff; border: 1px solid var(--line); border-radius: 6px; }
      figcaption, .muted { color: var(--muted); font-size: .9rem; }
      .scroll { overflow-x: auto; } table { border-collapse: collapse; width: 100%; background: var(--card); font-size: .9rem; }
      th, td { text-align: left; vertical-align: top; padding: .35rem .6rem; border: 1px solid var(--line); } td.number { text-align: right; font-variant-numeric: tabular-nums; }
      code { overflow-wrap: anywhere; }
      """;

  private final List<RunHistory> runs;
  private final Charts charts;

  private StabilityReportPage(List<RunHistory> runs) {
    this.runs = runs;
    charts = new Charts(runs);
  }

  /**
   * A report.
   *
   * @param runs at least one; runs of the same name are numbered
   * @return the report, not yet written
   */
  public static StabilityReportPage of(List<RunHistory> runs) {
    if (runs.isEmpty()) {
      throw new IllegalArgumentException("a report needs at least one run, got none");
    }
    return new StabilityReportPage(withDistinctNames(runs));
  }

  private static List<RunHistory> withDistinctNames(List<RunHistory> runs) {
    Map<String, Integer> seen = new HashMap<>();
    List<RunHistory> distinct = new ArrayList<>();
    for (RunHistory run : runs) {
      int count = seen.merge(run.name(), 1, Integer::sum);
      distinct.add(count == 1 ? run : run.named(run.name() + " #" + count));
    }
    return List.copyOf(distinct);
  }

  /**
   * Writes the page.
   *
   * @param file an HTML file, replaced if it is there
   * @throws IOException if it cannot be written
   */
  public void write(Path file) throws IOException {
    OutputFile.write(file, html());
  }

  /**
   * Writes each picture as a file of its own.
   *
   * @param folder made if it is not there
   * @param svg whether as SVG; else as PNG
   * @return the files
   * @throws IOException if one cannot be written
   */
  public List<Path> writePictures(Path folder, boolean svg) throws IOException {
    OutputFile.requireFolder("--pictures", folder);
    List<Path> files = new ArrayList<>();
    for (Panel panel : panels()) {
      Path file = folder.resolve(panel.id() + (svg ? ".svg" : ".png"));
      if (svg) {
        OutputFile.write(file, charts.svg(panel));
      } else {
        OutputFile.write(file, charts.image(panel));
      }
      files.add(file);
    }
    return files;
  }

  private List<Panel> panels() {
    return Panel.ALL.stream().filter(panel -> panel.appliesTo(runs)).toList();
  }

  private String html() throws IOException {
    StringBuilder page = new StringBuilder();
    String title = runs.size() == 1 ? runs.get(0).name() : runs.size() + " runs";
    page.append("<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">")
        .append("<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">")
        .append("<title>Stability of training: ")
        .append(escape(title))
        .append("</title><style>\n")
        .append(STYLE)
        .append("</style></head><body>\n<h1>Stability of training: ")
        .append(escape(title))
        .append("</h1>\n");
    summary(page);
    for (Panel panel : panels()) {
      figure(page, panel);
    }
    verdicts(page);
    cautions(page);
    details(page);
    latest(page);
    definitions(page);
    return page.append("</body></html>\n").toString();
  }

  private void summary(StringBuilder page) {
    page.append("<div class=\"scroll\"><table><thead><tr>");
    for (String head :
        List.of(
            "run",
            "training step",
            "iteration",
            "probe loss",
            "η/η_c",
            "λ",
            "sharpness/limit",
            "latest verdict")) {
      page.append("<th scope=\"col\">").append(head).append("</th>");
    }
    page.append("</tr></thead><tbody>\n");
    for (RunHistory run : runs) {
      CheckpointDocument last = run.last();
      page.append("<tr>")
          .append(cell(run.name()))
          .append(cell(last.text("step").orElse(null)))
          .append(number(String.valueOf(last.iteration())))
          .append(number(text(last.number("probeLoss"))))
          .append(number(EdgeRatio.of(last).map(EdgeRatio::toString).orElse("–")))
          .append(number(last.words("exponent").orElse("–")))
          .append(number(text(last.number("classicEdgeRatio"))))
          .append(cell(words(last.text("verdict").orElseThrow())))
          .append("</tr>\n");
    }
    page.append("</tbody></table></div>\n");
  }

  private void figure(StringBuilder page, Panel panel) throws IOException {
    page.append("<h2>")
        .append(escape(panel.title()))
        .append("</h2>\n<figure>")
        .append(
            charts
                .svg(panel)
                .replaceFirst(
                    "<svg",
                    "<svg role=\"img\" aria-label=\""
                        + escape(panel.title())
                        + " over the iterations\" viewBox=\"0 0 860 330\""))
        .append("<figcaption>")
        .append(escape(panel.meaning()))
        .append("</figcaption></figure>\n");
  }

  private void verdicts(StringBuilder page) {
    page.append("<h2>Verdicts</h2>\n");
    for (RunHistory run : runs) {
      page.append("<h3>")
          .append(escape(run.name()))
          .append("</h3>\n")
          .append("<div class=\"scroll\"><table><thead><tr><th scope=\"col\">from iteration</th>")
          .append(
              "<th scope=\"col\">verdict</th><th"
                  + " scope=\"col\">evidence</th></tr></thead><tbody>\n");
      for (CheckpointDocument change : run.verdictChanges()) {
        page.append("<tr>")
            .append(number(String.valueOf(change.iteration())))
            .append(cell(words(change.text("verdict").orElseThrow())))
            .append(cell(change.text("evidence").orElse(null)))
            .append("</tr>\n");
      }
      page.append("</tbody></table></div>\n");
    }
  }

  private void cautions(StringBuilder page) {
    page.append("<h2>What to know</h2>\n");
    for (RunHistory run : runs) {
      page.append("<h3>").append(escape(run.name())).append("</h3>\n<ul>\n");
      run.cautions()
          .forEach(
              (caution, iteration) ->
                  page.append("<li>from iteration ")
                      .append(iteration)
                      .append(": ")
                      .append(escape(caution))
                      .append("</li>\n"));
      page.append(run.cautions().isEmpty() ? "<li>nothing</li>\n" : "").append("</ul>\n");
    }
  }

  /** Every entry of the latest checkpoint, whatever the pictures show. */
  private void latest(StringBuilder page) {
    page.append("<h2>All that was found at the latest checkpoint</h2>\n");
    for (RunHistory run : runs) {
      page.append("<details><summary>")
          .append(escape(run.name()))
          .append("</summary>\n<div class=\"scroll\"><table><tbody>\n");
      for (CheckpointDocument.Entry entry : run.last().entries()) {
        page.append("<tr title=\"")
            .append(escape(entry.field().help()))
            .append("\"><th scope=\"row\">")
            .append(escape(entry.field().label()))
            .append("</th><td><code>")
            .append(escape(entry.key()))
            .append("</code></td>")
            .append(cell(content(entry) + (" " + entry.field().unit()).stripTrailing()))
            .append("</tr>\n");
      }
      page.append("</tbody></table></div></details>\n");
    }
  }

  private static String content(CheckpointDocument.Entry entry) {
    Object content = entry.value().content();
    if (content instanceof Double number) {
      return text(number);
    }
    if (content instanceof List<?> values) {
      return values.stream()
          .map(value -> value instanceof Double number ? text(number) : String.valueOf(value))
          .collect(Collectors.joining("; "));
    }
    return String.valueOf(content);
  }

  private void details(StringBuilder page) {
    page.append("<h2>What was watched</h2>\n");
    for (RunHistory history : runs) {
      RunLine run = history.run();
      page.append("<h3>")
          .append(escape(history.name()))
          .append("</h3>\n")
          .append("<div class=\"scroll\"><table><tbody>\n");
      row(page, "model", run.model() + ", " + run.parameters() + " parameters, " + run.precision());
      row(
          page,
          "probe",
          run.examples() + " examples of " + run.outputs() + " outputs, SHA-256 " + run.probe());
      row(page, "step at the start", run.step());
      List<CheckpointDocument> checkpoints = history.checkpoints();
      if (!checkpoints.isEmpty()) {
        row(
            page,
            "step at the end",
            checkpoints.get(checkpoints.size() - 1).text("step").orElse(null));
      }
      row(page, "seed of the estimates", String.valueOf(run.seed()));
      row(page, "started", String.valueOf(run.started()));
      if (run.provenance() != null) {
        row(
            page,
            "software",
            "lyapunov4j "
                + run.provenance().library()
                + ", Deeplearning4j "
                + run.provenance().deeplearning4j()
                + ", "
                + run.provenance().jvm()
                + ", "
                + run.provenance().platform());
      }
      row(
          page,
          "checkpoints",
          history.checkpoints().size()
              + (history.unreadable() == 0
                  ? ""
                  : ", and " + history.unreadable() + " lines that could not be read"));
      for (NoteLine note : history.notes()) {
        note.details().forEach((name, value) -> row(page, name, String.valueOf(value)));
      }
      page.append("</tbody></table></div>\n");
    }
  }

  private static void row(StringBuilder page, String name, String value) {
    page.append("<tr><th scope=\"row\">")
        .append(escape(name))
        .append("</th>")
        .append(cell(value))
        .append("</tr>\n");
  }

  private static void definitions(StringBuilder page) {
    page.append(
        """
        <h2>What the numbers mean</h2>
        <p>G is the Gram matrix of the tangent kernel on the probe, weighted with the curvature of the loss. Near a minimum a
        mini-batch S of B examples changes the residuals by r ← r − (η/B) G[:,S] r<sub>S</sub>. λ is the mean growth of
        log ‖r‖ per step under random mini-batches, in nats: STABLE if λ is negative and the mean square of r shrinks too,
        MEAN-SQUARE UNSTABLE if only λ is negative, UNSTABLE if λ is positive, INCONCLUSIVE if its sign is not decided. While
        training is stable λ is the rate of the slowest direction; where rounding hides that direction λ is only bounded. μ is the
        same for full-batch descent, sharpness the largest eigenvalue of G/N, its limit the value full-batch descent tolerates, η_c
        the learning rate at which λ becomes positive, η_ms that at which the mean square of r begins to grow.
        Source: Chemnitz and Engel, <i>Characterizing Dynamical Stability of Stochastic Gradient Descent in Overparameterized
        Learning</i>, arXiv 2407.20209.</p>
        """);
  }

  private static String words(String verdict) {
    return verdict.replace('_', ' ').toLowerCase(Locale.ROOT);
  }

  private static String text(double value) {
    return Double.isNaN(value) ? "–" : String.format(Locale.ROOT, "%.4g", value);
  }

  private static String cell(String text) {
    return "<td>" + escape(text) + "</td>";
  }

  private static String number(String text) {
    return "<td class=\"number\">" + escape(text) + "</td>";
  }

  private static String escape(String text) {
    return text == null
        ? ""
        : text.replace("&", "&amp;")
            .replace("<", "&lt;")
            .replace(">", "&gt;")
            .replace("\"", "&quot;")
            .replace("'", "&#39;");
  }
}
