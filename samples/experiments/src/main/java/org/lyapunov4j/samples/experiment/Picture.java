// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.samples.experiment;

import java.awt.BasicStroke;
import java.awt.Color;
import java.awt.Graphics2D;
import java.awt.image.BufferedImage;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.DoubleSummaryStatistics;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import java.util.stream.DoubleStream;
import org.knowm.xchart.XYChart;
import org.knowm.xchart.XYChartBuilder;
import org.knowm.xchart.XYSeries;
import org.knowm.xchart.style.lines.SeriesLines;
import org.knowm.xchart.style.markers.Marker;
import org.knowm.xchart.style.markers.SeriesMarkers;
import org.lyapunov4j.samples.experiment.Scale.Kind;
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
  private static final int MARKER_SIZE = 6;

  /** As many as colours, so that no reader depends on these. */
  private static final Marker[] MARKERS = {
    SeriesMarkers.CIRCLE,
    SeriesMarkers.DIAMOND,
    SeriesMarkers.SQUARE,
    SeriesMarkers.TRIANGLE_UP,
    SeriesMarkers.CROSS,
    SeriesMarkers.TRIANGLE_DOWN,
    SeriesMarkers.PLUS
  };

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

  /** Which axes are logarithmic, as far as the values span enough for that: {@link Scale}. */
  enum Axes {
    LINEAR(Kind.LINEAR, Kind.LINEAR),
    LOG_X(Kind.LOGARITHMIC, Kind.LINEAR),
    LOG_Y(Kind.LINEAR, Kind.LOGARITHMIC),
    LOG_BOTH(Kind.LOGARITHMIC, Kind.LOGARITHMIC),
    /** For heights of both signs and many orders of magnitude. */
    SIGNED_LOG_Y(Kind.LINEAR, Kind.SIGNED_LOGARITHMIC),
    LOG_X_SIGNED_LOG_Y(Kind.LOGARITHMIC, Kind.SIGNED_LOGARITHMIC);

    private final Kind x;
    private final Kind y;

    Axes(Kind x, Kind y) {
      this.x = x;
      this.y = y;
    }
  }

  /** How a curve is drawn. */
  enum Stroke {
    LINE,
    DASHES,
    DOTS
  }

  /**
   * A curve; points that cannot be drawn are left out, and where an axis is logarithmic it says how
   * many of the dots these are.
   *
   * @param name in the legend; empty for none, or for that of a curve of the same colour before it
   *     that has no points
   * @param x abscissae
   * @param y ordinates, as many
   * @param colour curves of one number have one colour
   * @param stroke line, dashes or dots
   */
  @SuppressWarnings("ArrayRecordComponent") // never compared
  record Curve(String name, double[] x, double[] y, int colour, Stroke stroke) {
    Curve asDots() {
      return new Curve(name, x, y, colour, Stroke.DOTS);
    }

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

  XYChart chart(Panel panel) {
    Scale x = Scale.of(panel.axes().x, values(panel, Curve::x).toArray());
    Scale y =
        Scale.of(
            panel.axes().y,
            DoubleStream.concat(
                    values(panel, Curve::y),
                    panel.rules().values().stream().mapToDouble(height -> height))
                .toArray());
    XYChart chart =
        new XYChartBuilder()
            .width(WIDTH)
            .height(panels.size() > 2 ? 330 : 400)
            .title(panel.title())
            .xAxisTitle(panel.x() + leftOut(panel, x, Curve::x))
            .yAxisTitle(panel.y() + leftOut(panel, y, Curve::y))
            .build();
    style(chart);
    x.applyToX(chart.getStyler());
    y.applyToY(chart.getStyler());
    panel.rules().forEach((name, height) -> rule(chart, panel, x, name, y.place(height)));
    draw(chart, panel, x, y);
    return chart;
  }

  private static DoubleStream values(Panel panel, Function<Curve, double[]> coordinate) {
    return panel.curves().stream()
        .flatMapToDouble(curve -> DoubleStream.of(coordinate.apply(curve)));
  }

  private static void style(XYChart chart) {
    PlotStyle.apply(chart);
    chart.getStyler().setChartTitleFont(PlotStyle.font(15));
    chart.getStyler().setAxisTitleFont(PlotStyle.font(14)).setYAxisLeftWidthHint(100);
    chart.getStyler().setMarkerSize(MARKER_SIZE);
  }

  /** How many dots have no place on an axis, for its title; empty if all have. */
  private static String leftOut(Panel panel, Scale scale, Function<Curve, double[]> coordinate) {
    double[] dots =
        panel.curves().stream()
            .filter(curve -> curve.stroke() == Stroke.DOTS)
            .flatMapToDouble(curve -> DoubleStream.of(coordinate.apply(curve)))
            .filter(Double::isFinite)
            .toArray();
    long without = DoubleStream.of(dots).filter(v -> !Double.isFinite(scale.place(v))).count();
    return without == 0
        ? ""
        : String.format("; left out: %d of %d dots, not above 0", without, dots.length);
  }

  private static void draw(XYChart chart, Panel panel, Scale x, Scale y) {
    Map<Integer, String> withoutPoints = new HashMap<>();
    for (int i = 0; i < panel.curves().size(); i++) {
      Curve curve = panel.curves().get(i);
      double[][] points = drawable(x, y, curve);
      String inherited = withoutPoints.getOrDefault(curve.colour(), "");
      String name = curve.name().isEmpty() ? inherited : curve.name();
      if (points[0].length == 0) {
        withoutPoints.put(curve.colour(), name);
      } else {
        XYSeries series =
            chart.addSeries(name.isEmpty() ? "unnamed " + i : name, points[0], points[1]);
        series.setShowInLegend(!name.isEmpty());
        style(series, curve);
        withoutPoints.remove(curve.colour());
      }
    }
  }

  private static void style(XYSeries series, Curve curve) {
    Color colour = PlotStyle.colour(curve.colour());
    series.setLineColor(colour);
    series.setMarkerColor(colour);
    boolean dots = curve.stroke() == Stroke.DOTS;
    series.setMarker(dots ? MARKERS[curve.colour() % MARKERS.length] : SeriesMarkers.NONE);
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

  private static double[][] drawable(Scale horizontal, Scale vertical, Curve curve) {
    int count = 0;
    double[] x = new double[curve.x().length];
    double[] y = new double[curve.x().length];
    for (int i = 0; i < x.length; i++) {
      x[count] = horizontal.place(curve.x()[i]);
      y[count] = vertical.place(curve.y()[i]);
      if (Double.isFinite(x[count]) && Double.isFinite(y[count])) {
        count++;
      }
    }
    return new double[][] {Arrays.copyOf(x, count), Arrays.copyOf(y, count)};
  }

  private static void rule(XYChart chart, Panel panel, Scale x, String name, double height) {
    DoubleSummaryStatistics range =
        values(panel, Curve::x).map(x::place).filter(Double::isFinite).summaryStatistics();
    if (range.getCount() > 1) {
      double[] ends = {range.getMin(), range.getMax()};
      PlotStyle.rule(chart.addSeries(name, ends, new double[] {height, height}));
    }
  }
}
