// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.samples.whatif;

import java.awt.BasicStroke;
import java.awt.Color;
import java.awt.Graphics2D;
import java.awt.RenderingHints;
import java.awt.Shape;
import java.awt.geom.AffineTransform;
import java.awt.geom.Line2D;
import java.awt.geom.Path2D;
import java.awt.geom.Rectangle2D;
import java.awt.image.BufferedImage;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.function.ToDoubleFunction;
import org.lyapunov4j.exponent.ExponentBound;
import org.lyapunov4j.exponent.LyapunovExponent;
import org.lyapunov4j.samples.io.OutputFile;
import org.lyapunov4j.samples.plot.PlotStyle;
import org.lyapunov4j.samples.whatif.StabilityMap.Edges;
import org.lyapunov4j.samples.whatif.StabilityMap.Sheet;
import org.lyapunov4j.stability.StabilityReport;
import org.lyapunov4j.stability.Verdict;
import org.lyapunov4j.step.SgdStep;

/**
 * λ over batch size and learning rate as coloured cells with the critical curves over them, one
 * panel for each momentum. XChart's heat maps take no curves, so the panels are drawn here.
 */
final class HeatMap {
  private static final int LEFT = 95;
  private static final int TOP = 62;
  private static final int CELL_WIDTH = 78;
  private static final int CELL_HEIGHT = 32;
  private static final int BAR_GAP = 34;
  private static final int BAR_WIDTH = 18;
  private static final int RIGHT = BAR_GAP + BAR_WIDTH + 80;
  private static final int BOTTOM = 92;
  private static final int NARROWEST = 780;
  private static final int HATCH = 8;
  private static final Color INK = new Color(0x222222);
  private static final Color BORDER = new Color(255, 255, 255, 170);

  private static final Curve CRITICAL =
      new Curve("η_c(B), λ = 0", INK, new BasicStroke(2.6f), Edges::critical);
  private static final Curve MEAN_SQUARE =
      new Curve("η_ms(B), Λ(2) = 0", INK, dashed(2, 7, 5), Edges::meanSquare);
  private static final Curve FULL_BATCH =
      new Curve("full batch", INK, dashed(1.6f, 2, 4), Edges::fullBatch);
  private static final List<Curve> CURVES = List.of(FULL_BATCH, MEAN_SQUARE, CRITICAL);

  private record Curve(
      String name, Color colour, BasicStroke stroke, ToDoubleFunction<Edges> rate) {}

  private final StabilityMap map;
  private final String title;
  private final SgdStep present;
  private final SignedScale scale;
  private final int columns;
  private final int rows;

  /**
   * A picture.
   *
   * @param map what is shown
   * @param title above it
   * @param present the step in use, or null
   */
  HeatMap(StabilityMap map, String title, SgdStep present) {
    this.map = map;
    this.title = title;
    this.present = present;
    scale = new SignedScale(map.exponents());
    columns = map.batches().size();
    rows = map.rates().size();
  }

  void write(Path file) throws IOException {
    OutputFile.write(file, render());
  }

  BufferedImage render() {
    int width = Math.max(NARROWEST, LEFT + columns * CELL_WIDTH + RIGHT);
    int height = TOP + rows * CELL_HEIGHT + BOTTOM;
    BufferedImage image =
        new BufferedImage(width, height * map.sheets().size(), BufferedImage.TYPE_INT_RGB);
    Graphics2D graphics = image.createGraphics();
    graphics.setRenderingHint(RenderingHints.KEY_ANTIALIASING, RenderingHints.VALUE_ANTIALIAS_ON);
    graphics.setRenderingHint(
        RenderingHints.KEY_TEXT_ANTIALIASING, RenderingHints.VALUE_TEXT_ANTIALIAS_ON);
    graphics.setColor(Color.WHITE);
    graphics.fillRect(0, 0, image.getWidth(), image.getHeight());
    for (Sheet sheet : map.sheets()) {
      AffineTransform origin = graphics.getTransform();
      panel(graphics, sheet);
      graphics.setTransform(origin);
      graphics.translate(0, height);
    }
    graphics.dispose();
    return image;
  }

  private void panel(Graphics2D graphics, Sheet sheet) {
    graphics.setColor(INK);
    graphics.setFont(PlotStyle.font(15));
    graphics.drawString(title, LEFT, 24);
    graphics.setFont(PlotStyle.font(13));
    graphics.drawString(
        "λ in nats per step, "
            + sheet.momentum()
            + " (M not stable in mean square, ? undecided, > a bound alone)",
        LEFT,
        46);
    for (int row = 0; row < rows; row++) {
      for (int column = 0; column < columns; column++) {
        cell(graphics, row, column, sheet.at(row, column));
      }
    }
    axes(graphics);
    colourBar(graphics);
    Shape clip = graphics.getClip();
    graphics.clip(new Rectangle2D.Double(LEFT, TOP, plotWidth(), plotHeight()));
    if (isPresent(sheet) && present.learningRate() > 0) {
      presentRate(graphics);
    }
    CURVES.forEach(curve -> curve(graphics, sheet, curve));
    graphics.setClip(clip);
    legend(graphics, isPresent(sheet));
  }

  private boolean isPresent(Sheet sheet) {
    return present != null && present.momentum().equals(sheet.momentum());
  }

  private void cell(Graphics2D graphics, int row, int column, StabilityReport report) {
    double x = LEFT + column * CELL_WIDTH;
    double y = TOP + (rows - 1 - row) * CELL_HEIGHT;
    LyapunovExponent exponent = report.exponent();
    double position = scale.position(exponent);
    Rectangle2D area = new Rectangle2D.Double(x, y, CELL_WIDTH, CELL_HEIGHT);
    graphics.setColor(SignedScale.at(position));
    graphics.fill(area);
    if (exponent instanceof ExponentBound) {
      hatch(graphics, area);
    }
    graphics.setColor(Color.WHITE);
    graphics.setStroke(new BasicStroke(1));
    graphics.draw(area);
    graphics.setColor(Math.abs(position) > 0.75 ? Color.WHITE : INK);
    graphics.setFont(PlotStyle.font(11));
    Verdict.Kind kind = report.verdict().kind();
    String mark =
        kind == Verdict.Kind.STABLE || kind == Verdict.Kind.UNSTABLE
            ? ""
            : " " + MapText.letter(kind);
    graphics.drawString(
        (MapText.number(exponent) + mark).replace('-', '−'), (float) x + 5, (float) y + 13);
  }

  /** A bound is no value. */
  private static void hatch(Graphics2D graphics, Rectangle2D area) {
    Shape clip = graphics.getClip();
    graphics.clip(area);
    graphics.setColor(Color.WHITE);
    graphics.setStroke(new BasicStroke(2));
    for (double x = area.getMinX() - area.getHeight(); x < area.getMaxX(); x += HATCH) {
      graphics.draw(new Line2D.Double(x, area.getMaxY(), x + area.getHeight(), area.getMinY()));
    }
    graphics.setClip(clip);
  }

  private void axes(Graphics2D graphics) {
    graphics.setColor(INK);
    graphics.setFont(PlotStyle.font(12));
    for (int column = 0; column < columns; column++) {
      centred(graphics, map.batches().get(column).toString(), centre(column), bottom() + 18);
    }
    for (int row = 0; row < rows; row++) {
      String label = MapText.rate(map.rates().get(row));
      float y = (float) (TOP + (rows - 0.5 - row) * CELL_HEIGHT + 4);
      int width = graphics.getFontMetrics().stringWidth(label);
      graphics.drawString(label, LEFT - 8 - width, y);
    }
    graphics.setFont(PlotStyle.font(14));
    centred(graphics, "batch size B", LEFT + plotWidth() / 2, bottom() + 40);
    AffineTransform upright = graphics.getTransform();
    graphics.rotate(-Math.PI / 2, 22, TOP + plotHeight() / 2);
    centred(graphics, "learning rate η", 22, TOP + plotHeight() / 2);
    graphics.setTransform(upright);
  }

  private void colourBar(Graphics2D graphics) {
    double x = LEFT + plotWidth() + BAR_GAP;
    int height = (int) plotHeight();
    for (int y = 0; y < height; y++) {
      graphics.setColor(SignedScale.at(1 - 2.0 * y / (height - 1)));
      graphics.fill(new Rectangle2D.Double(x, TOP + y, BAR_WIDTH, 1));
    }
    graphics.setColor(INK);
    graphics.setFont(PlotStyle.font(12));
    for (SignedScale.Tick tick : scale.ticks()) {
      double y = TOP + (1 - tick.position()) / 2 * height;
      graphics.draw(new Line2D.Double(x + BAR_WIDTH, y, x + BAR_WIDTH + 4, y));
      graphics.drawString(
          tick.label().replace('-', '−'), (float) (x + BAR_WIDTH + 8), (float) (y + 4));
    }
  }

  private void curve(Graphics2D graphics, Sheet sheet, Curve curve) {
    List<Edges> edges = sheet.edges();
    Path2D line = new Path2D.Double();
    boolean drawing = false;
    for (int column = 0; column < columns; column++) {
      double y = height(curve.rate().applyAsDouble(edges.get(column)));
      if (Double.isNaN(y)) {
        drawing = false;
      } else if (drawing) {
        line.lineTo(centre(column), y);
      } else {
        line.moveTo(centre(column), y);
        drawing = true;
      }
    }
    // A light border keeps the line apart from the numbers it crosses.
    graphics.setColor(BORDER);
    graphics.setStroke(new BasicStroke(curve.stroke().getLineWidth() + 3));
    graphics.draw(line);
    graphics.setColor(curve.colour());
    graphics.setStroke(curve.stroke());
    graphics.draw(line);
  }

  private void presentRate(Graphics2D graphics) {
    graphics.setColor(PlotStyle.GREEN);
    graphics.setStroke(new BasicStroke(2));
    double y = height(present.learningRate());
    graphics.draw(new Line2D.Double(LEFT, y, LEFT + plotWidth(), y));
  }

  private void legend(Graphics2D graphics, boolean withPresent) {
    double x = LEFT;
    double y = bottom() + 70;
    for (Curve curve : CURVES) {
      x = entry(graphics, x, y, curve.name(), curve.colour(), curve.stroke());
    }
    if (withPresent) {
      entry(graphics, x, y, "η in use", PlotStyle.GREEN, new BasicStroke(2));
    }
  }

  private static double entry(
      Graphics2D graphics, double x, double y, String name, Color colour, BasicStroke stroke) {
    graphics.setColor(colour);
    graphics.setStroke(stroke);
    graphics.draw(new Line2D.Double(x, y - 4, x + 30, y - 4));
    graphics.setColor(INK);
    graphics.setFont(PlotStyle.font(12));
    graphics.drawString(name, (float) x + 36, (float) y);
    return x + 36 + graphics.getFontMetrics().stringWidth(name) + 20;
  }

  /** Where a rate lies, between the middles of the rows and on beyond the first and the last. */
  private double height(double rate) {
    if (!(rate > 0) || Double.isInfinite(rate)) {
      return Double.NaN;
    }
    if (rows == 1) {
      double off = Math.signum(rate - map.rates().get(0)) / 2;
      return TOP + (0.5 - off) * CELL_HEIGHT;
    }
    int below = map.rates().get(0) > 0 ? 0 : 1;
    if (below == rows - 1) {
      return TOP + (rows - 0.5 - below) * CELL_HEIGHT;
    }
    while (below < rows - 2 && map.rates().get(below + 1) < rate) {
      below++;
    }
    double low = Math.log(map.rates().get(below));
    double high = Math.log(map.rates().get(below + 1));
    double row = below + (Math.log(rate) - low) / (high - low);
    return TOP + (rows - 0.5 - row) * CELL_HEIGHT;
  }

  private double centre(int column) {
    return LEFT + (column + 0.5) * CELL_WIDTH;
  }

  private double plotWidth() {
    return columns * (double) CELL_WIDTH;
  }

  private double plotHeight() {
    return rows * (double) CELL_HEIGHT;
  }

  private double bottom() {
    return TOP + plotHeight();
  }

  private static void centred(Graphics2D graphics, String text, double x, double y) {
    int width = graphics.getFontMetrics().stringWidth(text);
    graphics.drawString(text, (float) (x - width / 2.0), (float) y);
  }

  private static BasicStroke dashed(float width, float on, float off) {
    return new BasicStroke(
        width, BasicStroke.CAP_BUTT, BasicStroke.JOIN_ROUND, 1, new float[] {on, off}, 0);
  }
}
