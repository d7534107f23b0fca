// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.samples.train;

import java.awt.BasicStroke;
import java.awt.Color;
import java.awt.Font;
import java.awt.Graphics2D;
import java.awt.image.BufferedImage;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.function.ToDoubleFunction;
import java.util.stream.Collectors;
import javax.imageio.ImageIO;
import org.knowm.xchart.XYChart;
import org.knowm.xchart.XYChartBuilder;
import org.knowm.xchart.XYSeries;
import org.knowm.xchart.style.Styler.LegendLayout;
import org.knowm.xchart.style.Styler.LegendPosition;
import org.knowm.xchart.style.markers.Marker;
import org.knowm.xchart.style.markers.SeriesMarkers;
import org.lyapunov4j.dl4j.checkpoint.Checkpoint;

/**
 * A run as one picture of three panels over the iterations: loss, η·sharpness/2, λ with its
 * interval.
 */
final class RunPlot implements RunObserver {
  private static final int WIDTH = 1000;
  private static final int[] HEIGHTS = {340, 300, 360};
  private static final int MOST_POINTS = 2000;

  /** Okabe and Ito's palette, told apart by colour-blind readers. */
  private static final Color BLUE = new Color(0x0072B2);

  private static final Color VERMILION = new Color(0xD55E00);
  private static final Color SKY = new Color(0x56B4E9);
  private static final Color GREEN = new Color(0x009E73);
  private static final Color RULE = new Color(0x555555);

  private final Path file;
  private final List<Double> batchLosses = new ArrayList<>();
  private final List<Checkpoint> checkpoints = new ArrayList<>();
  private RunDescription run;

  /** A plot that is written to {@code file} when the run ends. */
  RunPlot(Path file) {
    this.file = file;
  }

  @Override
  public void started(RunDescription run) {
    this.run = run;
  }

  @Override
  public void stepped(int iteration, double loss) {
    batchLosses.add(loss);
  }

  @Override
  public void checkpoint(Checkpoint checkpoint) {
    checkpoints.add(checkpoint);
  }

  @Override
  public void ended(RunEnd end) throws IOException {
    if (!checkpoints.isEmpty() && !ImageIO.write(render(), "png", file.toFile())) {
      throw new IOException("no PNG encoder in this Java runtime");
    }
  }

  BufferedImage render() {
    List<XYChart> panels = List.of(lossPanel(), edgePanel(), exponentPanel());
    int height = panels.stream().mapToInt(XYChart::getHeight).sum();
    BufferedImage image = new BufferedImage(WIDTH, height, BufferedImage.TYPE_INT_RGB);
    Graphics2D graphics = image.createGraphics();
    for (XYChart panel : panels) {
      panel.paint(graphics, WIDTH, panel.getHeight());
      graphics.translate(0, panel.getHeight());
    }
    graphics.dispose();
    return image;
  }

  private XYChart lossPanel() {
    XYChart chart = panel(0, title(), "loss");
    chart.getStyler().setYAxisLogarithmic(true);
    if (run.batchSize() < run.examples()) {
      addBatchLosses(chart);
    }
    line(chart, "all examples", iterations(), values(c -> positive(c.probeLoss())), BLUE, 2);
    return chart;
  }

  private void addBatchLosses(XYChart chart) {
    int stride = 1 + batchLosses.size() / MOST_POINTS;
    List<Double> x = new ArrayList<>();
    List<Double> y = new ArrayList<>();
    for (int i = 0; i < batchLosses.size(); i += stride) {
      x.add((double) i);
      y.add(positive(batchLosses.get(i)));
    }
    line(chart, "mini-batch", x, y, SKY, 0.6f);
  }

  private XYChart edgePanel() {
    XYChart chart = panel(1, "", "η·sharpness/2");
    chart.getStyler().setYAxisMin(0.0);
    rule(chart, "edge of gradient descent", 1);
    line(
            chart,
            "η·sharpness/2",
            iterations(),
            values(c -> c.stability().classicEdgeRatio()),
            BLUE,
            2)
        .setMarker(marker());
    return chart;
  }

  private XYChart exponentPanel() {
    XYChart chart = panel(2, "", "nats per step");
    chart.setXAxisTitle("iteration");
    rule(chart, "zero", 0);
    line(
        chart,
        "μ (full batch)",
        iterations(),
        values(c -> c.stability().gdExponent()),
        GREEN,
        1.5f);
    XYSeries lambda =
        chart.addSeries(
            "λ with interval",
            iterations(),
            values(c -> c.stability().exponent().value()),
            values(c -> (c.stability().exponent().high() - c.stability().exponent().low()) / 2));
    style(lambda, VERMILION, 2).setMarker(marker());
    return chart;
  }

  private XYChart panel(int index, String title, String yTitle) {
    XYChart chart =
        new XYChartBuilder()
            .width(WIDTH)
            .height(HEIGHTS[index])
            .title(title)
            .yAxisTitle(yTitle)
            .build();
    chart
        .getStyler()
        .setLegendPosition(LegendPosition.OutsideS)
        .setLegendLayout(LegendLayout.Horizontal)
        .setLegendBorderColor(Color.WHITE)
        .setLegendFont(new Font(Font.SANS_SERIF, Font.PLAIN, 13))
        .setChartBackgroundColor(Color.WHITE)
        .setChartTitleFont(new Font(Font.SANS_SERIF, Font.PLAIN, 15));
    chart
        .getStyler()
        .setXAxisMin(0.0)
        .setXAxisMaxLabelCount(11)
        .setXAxisMax((double) Math.max(1, batchLosses.size()))
        .setAxisTitleFont(new Font(Font.SANS_SERIF, Font.PLAIN, 14))
        .setAxisTickLabelsFont(new Font(Font.SANS_SERIF, Font.PLAIN, 12))
        .setPlotGridLinesColor(new Color(0xE4E4E4))
        .setPlotBorderVisible(false)
        .setYAxisLeftWidthHint(90)
        .setLocale(Locale.ROOT);
    chart.getStyler().setErrorBarsColorSeriesColor(true);
    return chart;
  }

  private String title() {
    return String.format(
        Locale.ROOT,
        "%s, %d examples, %s %s: %s",
        run.data(),
        run.examples(),
        run.layers().stream().map(String::valueOf).collect(Collectors.joining("-")),
        run.activation(),
        run.step());
  }

  private Marker marker() {
    return checkpoints.size() > 60 ? SeriesMarkers.NONE : SeriesMarkers.CIRCLE;
  }

  private void rule(XYChart chart, String name, double height) {
    List<Double> ends = List.of(0.0, (double) Math.max(1, batchLosses.size()));
    line(chart, name, ends, List.of(height, height), RULE, 1)
        .setLineStyle(
            new BasicStroke(
                1.2f, BasicStroke.CAP_BUTT, BasicStroke.JOIN_MITER, 1, new float[] {6, 4}, 0));
  }

  private static XYSeries line(
      XYChart chart, String name, List<Double> x, List<Double> y, Color colour, float width) {
    return style(chart.addSeries(name, x, y), colour, width);
  }

  private static XYSeries style(XYSeries series, Color colour, float width) {
    series.setLineColor(colour).setLineWidth(width);
    series.setMarker(SeriesMarkers.NONE).setMarkerColor(colour);
    return series;
  }

  private List<Double> iterations() {
    return values(Checkpoint::iteration);
  }

  private List<Double> values(ToDoubleFunction<Checkpoint> value) {
    return checkpoints.stream().map(c -> finite(value.applyAsDouble(c))).toList();
  }

  /** XChart leaves a gap at NaN and fails at infinities. */
  private static double finite(double value) {
    return Double.isFinite(value) ? value : Double.NaN;
  }

  private static double positive(double value) {
    return value > 0 ? value : Double.NaN;
  }
}
