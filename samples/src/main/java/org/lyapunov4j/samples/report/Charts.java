// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.samples.report;

import java.awt.BasicStroke;
import java.awt.Color;
import java.awt.Dimension;
import java.awt.image.BufferedImage;
import java.io.IOException;
import java.io.StringWriter;
import java.util.List;
import javax.xml.parsers.DocumentBuilderFactory;
import javax.xml.parsers.ParserConfigurationException;
import org.apache.batik.svggen.SVGGraphics2D;
import org.knowm.xchart.BitmapEncoder;
import org.knowm.xchart.XYChart;
import org.knowm.xchart.XYChartBuilder;
import org.knowm.xchart.XYSeries;
import org.knowm.xchart.style.markers.Marker;
import org.knowm.xchart.style.markers.SeriesMarkers;
import org.lyapunov4j.samples.plot.PlotStyle;
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
    style(chart, panel);
    panel.rule().ifPresent(height -> rule(chart, height));
    for (int r = 0; r < runs.size(); r++) {
      for (int c = 0; c < panel.curves().size(); c++) {
        if (panel.has(runs.get(r), panel.curves().get(c))) {
          add(chart, panel, r, c);
        }
      }
    }
    return chart;
  }

  private void add(XYChart chart, Panel panel, int r, int c) {
    RunHistory run = runs.get(r);
    Panel.Curve curve = panel.curves().get(c);
    String name = runs.size() == 1 ? curve.name() : run.name() + ": " + curve.name();
    List<Double> y =
        run.values(curve.value()).stream().map(v -> panel.isDrawable(v) ? v : Double.NaN).toList();
    List<Double> errors =
        run.values(curve.error()).stream().map(e -> Double.isFinite(e) ? e : 0).toList();
    boolean bars = runs.size() == 1 && errors.stream().anyMatch(e -> e > 0);
    XYSeries series =
        bars
            ? chart.addSeries(name, run.iterations(), y, errors)
            : chart.addSeries(name, run.iterations(), y);
    Color colour = PlotStyle.colour(runs.size() == 1 ? c : r);
    series.setLineColor(colour);
    series.setMarkerColor(colour);
    series.setLineStyle(stroke(DASHES[c % DASHES.length]));
    series.setMarker(
        run.checkpoints().size() > MOST_MARKERS
            ? SeriesMarkers.NONE
            : MARKERS[(runs.size() == 1 ? c : r) % MARKERS.length]);
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

  private static void style(XYChart chart, Panel panel) {
    PlotStyle.apply(chart);
    chart.setXAxisTitle("iteration");
    chart
        .getStyler()
        .setYAxisLogarithmic(panel.logarithmic())
        .setAxisTitleFont(PlotStyle.font(13))
        .setMarkerSize(6)
        .setYAxisLeftWidthHint(80);
  }
}
