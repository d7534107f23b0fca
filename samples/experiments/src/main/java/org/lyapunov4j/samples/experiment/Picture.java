// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.samples.experiment;

import java.awt.BasicStroke;
import java.awt.Color;
import java.awt.Graphics2D;
import java.awt.image.BufferedImage;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.DoubleStream;
import org.knowm.xchart.XYChart;
import org.knowm.xchart.XYChartBuilder;
import org.knowm.xchart.XYSeries;
import org.knowm.xchart.style.lines.SeriesLines;
import org.knowm.xchart.style.markers.SeriesMarkers;
import org.lyapunov4j.samples.io.OutputFile;
import org.lyapunov4j.samples.plot.PlotStyle;

/**
 * Panels of curves, one below the other.
 *
 * @param name of its file
 * @param caption what is to be seen
 * @param panels at least one
 */
record Picture(String name, String caption, List<Panel> panels) {
  private static final int WIDTH = 1000;

  Picture {
    panels = List.copyOf(panels);
  }

  /**
   * Curves over one axis.
   *
   * @param title may be empty
   * @param x what is on the horizontal axis
   * @param y what is on the vertical axis
   * @param axes which of them are logarithmic
   * @param rules heights that matter, by name
   * @param curves in the order of the legend
   */
  record Panel(
      String title, String x, String y, Axes axes, Map<String, Double> rules, List<Curve> curves) {
    Panel {
      rules = new LinkedHashMap<>(rules);
      curves = List.copyOf(curves);
    }
  }

  /** Which axes are logarithmic. */
  enum Axes {
    LINEAR,
    LOG_X,
    LOG_Y,
    LOG_BOTH;

    boolean logarithmicX() {
      return this == LOG_X || this == LOG_BOTH;
    }

    boolean logarithmicY() {
      return this == LOG_Y || this == LOG_BOTH;
    }
  }

  /** How a curve is drawn. */
  enum Stroke {
    LINE,
    DASHES,
    DOTS
  }

  /**
   * A curve; points that cannot be drawn are left out.
   *
   * @param name in the legend; empty for none
   * @param x abscissae
   * @param y ordinates, as many
   * @param colour curves of one number have one colour
   * @param stroke line, dashes or dots
   */
  @SuppressWarnings("ArrayRecordComponent") // never compared
  record Curve(String name, double[] x, double[] y, int colour, Stroke stroke) {
    /** A line with its points, once in the legend. */
    static List<Curve> lineAndDots(String name, double[] x, double[] y, int colour) {
      return List.of(
          new Curve(name, x, y, colour, Stroke.LINE), new Curve("", x, y, colour, Stroke.DOTS));
    }
  }

  void write(Path file) throws IOException {
    OutputFile.write(file, render());
  }

  BufferedImage render() {
    List<XYChart> charts = panels.stream().map(panel -> chart(panel)).toList();
    int height = charts.stream().mapToInt(XYChart::getHeight).sum();
    BufferedImage image = new BufferedImage(WIDTH, height, BufferedImage.TYPE_INT_RGB);
    Graphics2D graphics = image.createGraphics();
    for (XYChart chart : charts) {
      chart.paint(graphics, WIDTH, chart.getHeight());
      graphics.translate(0, chart.getHeight());
    }
    graphics.dispose();
    return image;
  }

  private XYChart chart(Panel panel) {
    XYChart chart =
        new XYChartBuilder()
            .width(WIDTH)
            .height(panels.size() > 2 ? 330 : 400)
            .title(panel.title())
            .xAxisTitle(panel.x())
            .yAxisTitle(panel.y())
            .build();
    PlotStyle.apply(chart);
    chart
        .getStyler()
        .setXAxisLogarithmic(panel.axes().logarithmicX())
        .setYAxisLogarithmic(panel.axes().logarithmicY());
    chart.getStyler().setChartTitleFont(PlotStyle.font(15));
    chart.getStyler().setAxisTitleFont(PlotStyle.font(14)).setYAxisLeftWidthHint(100);
    chart.getStyler().setMarkerSize(5);
    panel.rules().forEach((name, height) -> rule(chart, panel, name, height));
    for (int i = 0; i < panel.curves().size(); i++) {
      draw(chart, panel.axes(), panel.curves().get(i), i);
    }
    return chart;
  }

  private static void draw(XYChart chart, Axes axes, Curve curve, int index) {
    double[][] points = drawable(axes, curve);
    if (points[0].length == 0) {
      return;
    }
    String name = curve.name().isEmpty() ? "unnamed " + index : curve.name();
    XYSeries series = chart.addSeries(name, points[0], points[1]);
    series.setShowInLegend(!curve.name().isEmpty());
    Color colour = PlotStyle.colour(curve.colour());
    series.setLineColor(colour);
    series.setMarkerColor(colour);
    boolean dots = curve.stroke() == Stroke.DOTS;
    series.setMarker(dots ? SeriesMarkers.CIRCLE : SeriesMarkers.NONE);
    series.setLineStyle(SeriesLines.SOLID); // XChart's tenth and later ones are dotted
    series.setLineWidth(1.8f);
    if (dots) {
      series.setXYSeriesRenderStyle(XYSeries.XYSeriesRenderStyle.Scatter);
    } else if (curve.stroke() == Stroke.DASHES) {
      series.setLineStyle(
          new BasicStroke(
              1.8f, BasicStroke.CAP_BUTT, BasicStroke.JOIN_ROUND, 1, new float[] {7, 5}, 0));
    }
  }

  private static double[][] drawable(Axes axes, Curve curve) {
    int count = 0;
    double[] x = new double[curve.x().length];
    double[] y = new double[curve.x().length];
    for (int i = 0; i < x.length; i++) {
      if (drawable(curve.x()[i], axes.logarithmicX())
          && drawable(curve.y()[i], axes.logarithmicY())) {
        x[count] = curve.x()[i];
        y[count++] = curve.y()[i];
      }
    }
    return new double[][] {Arrays.copyOf(x, count), Arrays.copyOf(y, count)};
  }

  private static boolean drawable(double value, boolean logarithmic) {
    return Double.isFinite(value) && (!logarithmic || value > 0);
  }

  private static void rule(XYChart chart, Panel panel, String name, double height) {
    double[] all =
        panel.curves().stream()
            .flatMapToDouble(curve -> DoubleStream.of(curve.x()))
            .filter(value -> drawable(value, panel.axes().logarithmicX()))
            .sorted()
            .toArray();
    if (all.length > 1) {
      PlotStyle.rule(
          chart.addSeries(
              name, new double[] {all[0], all[all.length - 1]}, new double[] {height, height}));
    }
  }
}
