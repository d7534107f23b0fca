// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.samples.train;

import java.awt.BasicStroke;
import java.awt.Color;
import java.awt.Graphics2D;
import java.awt.image.BufferedImage;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.function.ToDoubleFunction;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.knowm.xchart.AnnotationText;
import org.knowm.xchart.XYChart;
import org.knowm.xchart.XYChartBuilder;
import org.knowm.xchart.XYSeries;
import org.knowm.xchart.style.markers.Marker;
import org.knowm.xchart.style.markers.SeriesMarkers;
import org.lyapunov4j.dl4j.checkpoint.Checkpoint;
import org.lyapunov4j.exponent.Sign;
import org.lyapunov4j.samples.cli.ClassicGauge;
import org.lyapunov4j.samples.cli.EdgeRatio;
import org.lyapunov4j.samples.io.OutputFile;
import org.lyapunov4j.samples.plot.PlotStyle;

/**
 * A run as one picture of two panels over the iterations: how far from the edge, with a mark at
 * every checkpoint whose λ is positive, and the loss.
 */
final class RunPlot implements RunObserver {
  private static final int WIDTH = 1000;
  private static final int[] HEIGHTS = {430, 330};
  private static final int MOST_POINTS = 2000;
  private static final double LOWEST_TOP = 1.4;
  private static final Color BEYOND = new Color(0xFBEDE6);
  private static final Color GREY = new Color(0x707070);
  private static final String RATIO = "edge ratio η/η_c (band: 95 % interval)";
  private static final String BOUND = "η/η_ms, an upper bound";
  private static final String POSITIVE = "λ > 0: SGD is driven away";

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
    if (!checkpoints.isEmpty()) {
      OutputFile.write(file, render());
    }
  }

  BufferedImage render() {
    List<XYChart> panels = List.of(edgePanel(), lossPanel());
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

  private XYChart edgePanel() {
    List<Double> ratios = values(c -> c.stability().edgeRatio().orElse(Double.NaN));
    List<Double> bounds = values(RunPlot::boundRatio);
    List<Double> classic = values(c -> c.stability().classicEdgeRatio());
    boolean hasRatios = ratios.stream().anyMatch(Double::isFinite);
    XYChart chart = panel(0, title(), hasRatios ? "learning rate / its edge" : classicName());
    double top =
        Math.max(
            LOWEST_TOP,
            1.1 * Stream.of(ratios, bounds, classic).mapToDouble(RunPlot::highest).max().orElse(0));
    chart.getStyler().setYAxisMin(0.0).setYAxisMax(top);
    List<Double> corners = List.of(0.0, end(), end(), 0.0);
    PlotStyle.area(chart.addSeries("beyond the edge", corners, List.of(1.0, 1.0, top, top)), BEYOND)
        .setShowInLegend(false);
    rule(chart, hasRatios ? "the edge of SGD" : "the edge of gradient descent", 1);
    if (hasRatios) {
      interval(chart, top);
      line(chart, RATIO, iterations(), ratios, PlotStyle.BLUE, 2.4f).setMarker(marker());
      dashed(line(chart, BOUND, iterations(), bounds, PlotStyle.BLUE, 1), 2, 4);
      dashed(line(chart, "classic gauge " + classicName(), iterations(), classic, GREY, 2), 8, 5);
    } else {
      line(chart, classicName(), iterations(), classic, PlotStyle.BLUE, 2.4f).setMarker(marker());
    }
    markPositive(chart, hasRatios ? ratios : classic);
    return chart;
  }

  /** η/η_ms ≥ η/η_c: what is stable in mean square is stable. */
  private static double boundRatio(Checkpoint checkpoint) {
    return checkpoint.stability().meanSquareEdgeRatio().orElse(Double.NaN);
  }

  /** It is called η·sharpness/2 only where it is that at every checkpoint. */
  private String classicName() {
    Set<String> names =
        checkpoints.stream().map(Checkpoint::classicGauge).collect(Collectors.toSet());
    return names.size() == 1 ? names.iterator().next() : ClassicGauge.GENERAL;
  }

  private void interval(XYChart chart, double top) {
    List<Double> x = new ArrayList<>();
    List<Double> low = new ArrayList<>();
    List<Double> high = new ArrayList<>();
    for (Checkpoint checkpoint : checkpoints) {
      EdgeRatio.of(checkpoint.stability())
          .ifPresent(
              ratio -> {
                x.add((double) checkpoint.iteration());
                low.add(Math.min(top, ratio.low()));
                high.add(Math.min(top, ratio.high()));
              });
    }
    List<Double> there = new ArrayList<>(x);
    List<Double> outline = new ArrayList<>(low);
    Collections.reverse(x);
    Collections.reverse(high);
    there.addAll(x);
    outline.addAll(high);
    PlotStyle.area(chart.addSeries("interval", there, outline), PlotStyle.pale(PlotStyle.BLUE))
        .setShowInLegend(false);
  }

  private void markPositive(XYChart chart, List<Double> heights) {
    List<Double> x = new ArrayList<>();
    List<Double> y = new ArrayList<>();
    for (int i = 0; i < checkpoints.size(); i++) {
      Checkpoint checkpoint = checkpoints.get(i);
      if (checkpoint.stability().exponent().sign() == Sign.POSITIVE) {
        x.add((double) checkpoint.iteration());
        y.add(heights.get(i));
      }
    }
    if (!x.isEmpty()) {
      XYSeries marks = line(chart, POSITIVE, x, y, PlotStyle.VERMILION, 0);
      marks
          .setXYSeriesRenderStyle(XYSeries.XYSeriesRenderStyle.Scatter)
          .setMarker(SeriesMarkers.CIRCLE);
    }
  }

  private XYChart lossPanel() {
    XYChart chart = panel(1, "", "loss");
    chart.setXAxisTitle("iteration");
    chart.getStyler().setYAxisLogarithmic(true);
    if (run.batchSize() < run.examples()) {
      addBatchLosses(chart);
    }
    List<Double> losses = values(c -> positive(c.probeLoss()));
    line(chart, "all examples", iterations(), losses, PlotStyle.BLUE, 2.4f).setMarker(marker());
    markPositive(chart, losses);
    return chart;
  }

  /** The means of an epoch: single mini-batches scatter too much to be seen. */
  private void addBatchLosses(XYChart chart) {
    int epoch = (run.examples() + run.batchSize() - 1) / run.batchSize();
    int stride = 1 + batchLosses.size() / MOST_POINTS;
    List<Double> x = new ArrayList<>();
    List<Double> y = new ArrayList<>();
    double sum = 0;
    for (int i = 0; i < batchLosses.size(); i++) {
      sum += batchLosses.get(i);
      if (i >= epoch) {
        sum -= batchLosses.get(i - epoch);
      }
      if (i >= epoch - 1 && i % stride == 0) {
        x.add((double) i);
        y.add(positive(sum / epoch));
      }
    }
    if (!x.isEmpty()) {
      line(chart, "mini-batches, mean of an epoch", x, y, PlotStyle.SKY, 1);
    }
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
    XYSeries rule = chart.addSeries(name, ends, List.of(height, height));
    PlotStyle.rule(rule);
    rule.setShowInLegend(false);
    chart.getStyler().setAnnotationTextFont(PlotStyle.font(13));
    chart.addAnnotation(new AnnotationText(name, 0.1 * end(), height + 0.06, false));
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

  private static double highest(List<Double> values) {
    return values.stream().mapToDouble(v -> v).filter(Double::isFinite).max().orElse(0);
  }

  private static void dashed(XYSeries series, float on, float off) {
    series.setLineStyle(
        new BasicStroke(
            series.getLineWidth(),
            BasicStroke.CAP_BUTT,
            BasicStroke.JOIN_ROUND,
            1,
            new float[] {on, off},
            0));
  }

  /** XChart leaves a gap at NaN and fails at infinities. */
  private static double finite(double value) {
    return Double.isFinite(value) ? value : Double.NaN;
  }

  private static double positive(double value) {
    return value > 0 ? value : Double.NaN;
  }
}
