// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.samples.plot;

import java.awt.BasicStroke;
import java.awt.Color;
import java.awt.Font;
import java.util.Locale;
import org.knowm.xchart.XYChart;
import org.knowm.xchart.XYSeries;
import org.knowm.xchart.style.Styler.LegendLayout;
import org.knowm.xchart.style.Styler.LegendPosition;
import org.knowm.xchart.style.markers.SeriesMarkers;

/** What all charts have in common. */
public final class PlotStyle {
  // Okabe and Ito's palette, told apart by colour-blind readers.
  /** Blue. */
  public static final Color BLUE = new Color(0x0072B2);

  /** Vermilion. */
  public static final Color VERMILION = new Color(0xD55E00);

  /** Green. */
  public static final Color GREEN = new Color(0x009E73);

  /** Purple. */
  public static final Color PURPLE = new Color(0xCC79A7);

  /** Sky blue. */
  public static final Color SKY = new Color(0x56B4E9);

  /** Orange. */
  public static final Color ORANGE = new Color(0xE69F00);

  /** Black. */
  public static final Color BLACK = new Color(0x000000);

  private static final Color[] COLOURS = {BLUE, VERMILION, GREEN, PURPLE, BLACK, ORANGE, SKY};

  private PlotStyle() {}

  /**
   * The colours in turn.
   *
   * @param index at least 0
   * @return one of the seven
   */
  public static Color colour(int index) {
    return COLOURS[index % COLOURS.length];
  }

  /**
   * A sans-serif font.
   *
   * @param size in points
   * @return the font
   */
  public static Font font(int size) {
    return new Font(Font.SANS_SERIF, Font.PLAIN, size);
  }

  /**
   * White ground, light grid, legend below, numbers as in English.
   *
   * @param chart to be styled
   */
  public static void apply(XYChart chart) {
    chart
        .getStyler()
        .setLegendPosition(LegendPosition.OutsideS)
        .setLegendLayout(LegendLayout.Horizontal)
        .setLegendBorderColor(Color.WHITE)
        .setLegendFont(font(13))
        .setChartBackgroundColor(Color.WHITE);
    chart
        .getStyler()
        .setXAxisMaxLabelCount(11)
        .setAxisTickLabelsFont(font(12))
        .setPlotGridLinesColor(new Color(0xE4E4E4))
        .setPlotBorderVisible(false)
        .setLocale(Locale.ROOT);
    chart.getStyler().setErrorBarsColorSeriesColor(true);
  }

  /**
   * A colour for areas behind lines of that colour.
   *
   * @param colour of the line
   * @return the same, nearly transparent
   */
  public static Color pale(Color colour) {
    return new Color(colour.getRed(), colour.getGreen(), colour.getBlue(), 60);
  }

  /**
   * A filled polygon.
   *
   * @param series its corners
   * @param colour to fill it with
   * @return the series
   */
  public static XYSeries area(XYSeries series, Color colour) {
    series.setXYSeriesRenderStyle(XYSeries.XYSeriesRenderStyle.PolygonArea);
    series.setFillColor(colour);
    series.setLineColor(colour);
    series.setLineWidth(0);
    series.setMarker(SeriesMarkers.NONE);
    return series;
  }

  /**
   * A dashed grey line, for a height that matters.
   *
   * @param series to be styled
   */
  public static void rule(XYSeries series) {
    series.setLineColor(new Color(0x555555));
    series.setLineWidth(1);
    series.setMarker(SeriesMarkers.NONE);
    series.setLineStyle(
        new BasicStroke(
            1.2f, BasicStroke.CAP_BUTT, BasicStroke.JOIN_MITER, 1, new float[] {6, 4}, 0));
  }
}
