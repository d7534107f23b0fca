// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.samples.report;

import java.awt.BasicStroke;
import java.awt.Color;
import java.awt.Dimension;
import java.awt.image.BufferedImage;
import java.io.IOException;
import java.io.StringWriter;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.function.DoubleUnaryOperator;
import java.util.stream.Collectors;
import javax.xml.parsers.DocumentBuilderFactory;
import javax.xml.parsers.ParserConfigurationException;
import org.apache.batik.svggen.SVGGraphics2D;
import org.knowm.xchart.BitmapEncoder;
import org.knowm.xchart.XYChart;
import org.knowm.xchart.XYChartBuilder;
import org.knowm.xchart.XYSeries;
import org.knowm.xchart.style.markers.Marker;
import org.knowm.xchart.style.markers.SeriesMarkers;
import org.lyapunov4j.samples.cli.ClassicGauge;
import org.lyapunov4j.samples.plot.PlotStyle;
import org.lyapunov4j.samples.plot.SignedLog;
import org.w3c.dom.Document;

/**
 * Draws panels. Curves differ in colour, stroke and marker, so that no reader depends on colour.
 */
final class Charts {
  private static final int WIDTH = 860;
  private static final int HEIGHT = 330;
  private static final int MOST_MARKERS = 60;

  private static final float[][] DASHES = {{1, 0}, {8, 5}, {2, 4}};

  private static final Marker[] MARKERS = {
    SeriesMarkers.CIRCLE, SeriesMarkers.DIAMOND, SeriesMarkers.SQUARE, SeriesMarkers.TRIANGLE_UP
  };

  private final List<RunHistory> runs;

  Charts(List<RunHistory> runs) {
    this.runs = runs;
  }

  /** A panel as an svg element, without an XML declaration. */
  String svg(Panel panel) throws IOException {
    SVGGraphics2D graphics = new SVGGraphics2D(document());
    graphics.setSVGCanvasSize(new Dimension(WIDTH, HEIGHT));
    chart(panel).paint(graphics, WIDTH, HEIGHT);
    StringWriter text = new StringWriter();
    graphics.stream(text, true);
    String svg = text.toString();
    return svg.substring(svg.indexOf("<svg"));
  }

  private static Document document() throws IOException {
    try {
      return DocumentBuilderFactory.newInstance()
          .newDocumentBuilder()
          .getDOMImplementation()
          .createDocument("http://www.w3.org/2000/svg", "svg", null);
    } catch (ParserConfigurationException e) {
      throw new IOException("no XML parser in this Java runtime", e);
    }
  }

  BufferedImage image(Panel panel) {
    return BitmapEncoder.getBufferedImage(chart(panel));
  }

  private XYChart chart(Panel panel) {
    XYChart chart = new XYChartBuilder().width(WIDTH).height(HEIGHT).build();
    Axis axis = axis(panel);
    style(chart, panel, axis);
    panel.rule().ifPresent(height -> rule(chart, height));
    for (int r = 0; r < runs.size(); r++) {
      for (int c = 0; c < panel.curves().size(); c++) {
        if (panel.has(runs.get(r), panel.curves().get(c))) {
          add(chart, panel, axis, r, c);
        }
      }
    }
    return chart;
  }

  /** From values to heights that XChart can draw; NaN is a gap. */
  private record Axis(DoubleUnaryOperator height, Optional<SignedLog> signed) {
    List<Double> heights(List<Double> values) {
      return values.stream().map(value -> height.applyAsDouble(value)).toList();
    }
  }

  private Axis axis(Panel panel) {
    if (panel.scale() != Panel.Scale.SIGNED_LOG) {
      return new Axis(v -> panel.isDrawable(v) ? v : Double.NaN, Optional.empty());
    }
    List<Double> all =
        runs.stream()
            .flatMap(run -> panel.curves().stream().flatMap(c -> run.values(c.value()).stream()))
            .toList();
    SignedLog signed = new SignedLog(all);
    return new Axis(v -> panel.isDrawable(v) ? signed.height(v) : Double.NaN, Optional.of(signed));
  }

  private void add(XYChart chart, Panel panel, Axis axis, int r, int c) {
    RunHistory run = runs.get(r);
    Panel.Curve curve = panel.curves().get(c);
    String name = name(curve);
    if (runs.size() > 1) {
      name = run.name() + ": " + name;
    }
    Color colour = PlotStyle.colour(runs.size() == 1 ? c : r);
    List<Double> y = axis.heights(run.values(curve.value()));
    if (runs.size() == 1) {
      double most = 1.2 * y.stream().mapToDouble(v -> v).filter(Double::isFinite).max().orElse(0);
      List<Double> low = axis.heights(run.values(curve.low()));
      List<Double> high =
          axis.heights(run.values(line -> finite(curve.high().applyAsDouble(line), most)));
      intervals(chart, name + ", 95 % interval", run.iterations(), low, high, colour);
    }
    XYSeries series = chart.addSeries(name, run.iterations(), y);
    series.setLineColor(colour);
    series.setMarkerColor(colour);
    series.setLineStyle(stroke(DASHES[c % DASHES.length]));
    series.setMarker(
        run.checkpoints().size() > MOST_MARKERS
            ? SeriesMarkers.NONE
            : MARKERS[(runs.size() == 1 ? c : r) % MARKERS.length]);
  }

  /** An interval without an end is drawn to the top. */
  private static double finite(double value, double most) {
    return value == Double.POSITIVE_INFINITY ? most : value;
  }

  /** Upright strokes, parted by gaps, where there are intervals that can be seen. */
  private static void intervals(
      XYChart chart,
      String name,
      List<Double> x,
      List<Double> low,
      List<Double> high,
      Color colour) {
    List<Double> places = new ArrayList<>();
    List<Double> heights = new ArrayList<>();
    for (int i = 0; i < x.size(); i++) {
      if (high.get(i) > low.get(i)) {
        places.addAll(List.of(x.get(i), x.get(i), x.get(i)));
        heights.addAll(List.of(low.get(i), high.get(i), Double.NaN));
      }
    }
    if (!places.isEmpty()) {
      XYSeries series = chart.addSeries(name, places, heights);
      series.setLineStyle(stroke(DASHES[0])).setLineColor(PlotStyle.pale(colour));
      series.setMarker(SeriesMarkers.NONE).setLineWidth(5);
    }
  }

  /** The classic gauge is called η·sharpness/2 only where it is that at every checkpoint. */
  private String name(Panel.Curve curve) {
    if (!curve.name().equals(Panel.CLASSIC)) {
      return curve.name();
    }
    Set<String> names =
        runs.stream()
            .flatMap(run -> run.checkpoints().stream())
            .map(ClassicGauge::name)
            .collect(Collectors.toSet());
    return "classic, " + (names.size() == 1 ? names.iterator().next() : ClassicGauge.GENERAL);
  }

  private void rule(XYChart chart, double height) {
    double first = runs.stream().mapToDouble(run -> run.iterations().get(0)).min().orElse(0);
    double last = runs.stream().mapToDouble(run -> run.last().iteration()).max().orElse(1);
    PlotStyle.rule(
        chart.addSeries(
            height == 0 ? "0" : "1, the edge",
            List.of(first, Math.max(last, first + 1)),
            List.of(height, height)));
  }

  private static BasicStroke stroke(float[] dash) {
    return new BasicStroke(2, BasicStroke.CAP_BUTT, BasicStroke.JOIN_ROUND, 1, dash, 0);
  }

  private static void style(XYChart chart, Panel panel, Axis axis) {
    PlotStyle.apply(chart);
    chart.setXAxisTitle("iteration");
    chart
        .getStyler()
        .setYAxisLogarithmic(panel.scale() == Panel.Scale.LOG)
        .setAxisTitleFont(PlotStyle.font(13))
        .setMarkerSize(6)
        .setYAxisLeftWidthHint(80);
    axis.signed()
        .ifPresent(
            signed ->
                chart
                    .getStyler()
                    .setYAxisMin((double) signed.lowest())
                    .setYAxisMax((double) signed.highest())
                    .setYAxisTickLabelsFormattingFunction(signed::label));
  }
}
