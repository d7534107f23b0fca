// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.samples.train;

import java.awt.Color;
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
import org.knowm.xchart.style.markers.Marker;
import org.knowm.xchart.style.markers.SeriesMarkers;
import org.lyapunov4j.dl4j.checkpoint.Checkpoint;
import org.lyapunov4j.samples.plot.PlotStyle;

/**
 * A run as one picture of three panels over the iterations: loss, η·sharpness/2, λ with its
 * interval.
 */
final class RunPlot implements RunObserver {
  private static final int WIDTH = 1000;
  private static final int[] HEIGHTS = {340, 300, 360};
  private static final int MOST_POINTS = 2000;

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
    line(
        chart,
        "all examples",
        iterations(),
        values(c -> positive(c.probeLoss())),
        PlotStyle.BLUE,
        2);
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
    line(chart, "mini-batch", x, y, PlotStyle.SKY, 0.6f);
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
            PlotStyle.BLUE,
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
        PlotStyle.GREEN,
        1.5f);
    XYSeries lambda =
        chart.addSeries(
            "λ with interval",
            iterations(),
            values(c -> c.stability().exponent().value()),
            values(c -> (c.stability().exponent().high() - c.stability().exponent().low()) / 2));
    style(lambda, PlotStyle.VERMILION, 2).setMarker(marker());
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
    PlotStyle.apply(chart);
    chart.getStyler().setChartTitleFont(PlotStyle.font(15));
    chart
        .getStyler()
        .setXAxisMin(0.0)
        .setXAxisMax(end())
        .setAxisTitleFont(PlotStyle.font(14))
        .setYAxisLeftWidthHint(90);
    return chart;
  }

  /**
   * Not a whole number, so that the ticks are round ones: where the data and the ends are equally
   * spaced, XChart labels as many of them as fit without a gap.
   */
  private double end() {
    return batchLosses.size() + 0.5;
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
    List<Double> ends = List.of(0.0, end());
    PlotStyle.rule(chart.addSeries(name, ends, List.of(height, height)));
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
