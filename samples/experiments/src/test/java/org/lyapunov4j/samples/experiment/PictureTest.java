// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.samples.experiment;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.awt.Graphics2D;
import java.awt.image.BufferedImage;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.Function;
import java.util.stream.DoubleStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.knowm.xchart.XYChart;
import org.knowm.xchart.XYSeries;
import org.lyapunov4j.samples.experiment.Picture.Axes;
import org.lyapunov4j.samples.experiment.Picture.Curve;
import org.lyapunov4j.samples.experiment.Picture.Panel;
import org.lyapunov4j.samples.experiment.Picture.Stroke;
import org.lyapunov4j.samples.experiment.Scale.Kind;
import org.lyapunov4j.samples.experiment.Scale.Steps;
import org.lyapunov4j.step.RandomStream;

class PictureTest {
  private static final double[] NONE = {};

  /** From where XChart's powers of ten are labels enough to where only a linear axis has them. */
  @Test
  void everyLogarithmicAxisHasThreeLabels() {
    RandomStream random = new RandomStream(1);
    Set<Steps> seen = EnumSet.noneOf(Steps.class);
    for (int i = 0; i < 1000; i++) {
      double low = -12 + 18 * random.nextDouble();
      double decades = 5 * random.nextDouble();
      double[] values = {Math.pow(10, low), Math.pow(10, low + decades)};
      Scale scale = Scale.of(Kind.LOGARITHMIC, values);
      switch (scale.steps()) {
        case POWERS_OF_TEN -> assertThat(wholes(low, low + decades)).isGreaterThanOrEqualTo(3);
        case POWERS_OF_TWO ->
            assertThat(wholes(scale.place(values[0]), scale.place(values[1])))
                .isGreaterThanOrEqualTo(3);
        default -> assertThat(decades).isLessThan(Math.log10(8) + 1e-9);
      }
      seen.add(scale.steps());
    }
    assertThat(seen).containsExactly(Steps.EQUAL, Steps.POWERS_OF_TEN, Steps.POWERS_OF_TWO);
  }

  private static int wholes(double low, double high) {
    return (int) (Math.floor(high) - Math.ceil(low)) + 1;
  }

  @Test
  void powersOfTwoAreSaidAsNumbers() {
    Scale batchSizes = Scale.of(Kind.LOGARITHMIC, new double[] {1, 2, 4, 64});
    Scale probes = Scale.of(Kind.LOGARITHMIC, new double[] {50, 1797});
    Scale rates = Scale.of(Kind.LOGARITHMIC, new double[] {1.3e-6, 4.5e-5});

    assertThat(batchSizes.steps()).isEqualTo(Steps.POWERS_OF_TWO);
    assertThat(batchSizes.place(64)).isCloseTo(6, within(1e-12));
    assertThat(batchSizes.label(6)).contains("64");
    assertThat(batchSizes.label(2.5)).contains(" ");
    assertThat(probes.label(probes.place(50))).contains("50");
    assertThat(probes.label(probes.place(1600))).contains("1600");
    assertThat(rates.label(rates.place(1.6e-5))).contains("1.6E-5");
    assertThat(Scale.of(Kind.LOGARITHMIC, new double[] {0.3, 1.26}).steps()).isEqualTo(Steps.EQUAL);
    assertThat(Scale.of(Kind.LINEAR, NONE).label(-0.0002)).contains("-0.0002");
  }

  @Test
  void whatHasNoLogarithmHasNoPlace() {
    for (double[] values : List.of(NONE, new double[] {1, 1.5}, new double[] {1, 50, 1e9})) {
      Scale scale = Scale.of(Kind.LOGARITHMIC, values);
      assertThat(DoubleStream.of(0, -1, Double.NaN, Double.POSITIVE_INFINITY).map(scale::place))
          .noneMatch(Double::isFinite);
    }
    assertThat(Scale.of(Kind.SIGNED_LOGARITHMIC, new double[] {-1e-5, 0.05}).place(-1e-5))
        .isNegative();
  }

  static Stream<double[]> values() {
    return Stream.of(
        new double[] {1, 2, 4, 8, 16, 32, 64},
        new double[] {0.92, 1, 8, 69},
        new double[] {1, 3, 9, 27},
        new double[] {3, 6, 12, 24, 48},
        new double[] {0.687, 1, 13.4, 27.2},
        new double[] {50, 400, 5000},
        new double[] {0.3, 0.7, 1.26},
        new double[] {-9e-5, -8e-7, 0.0686});
  }

  /** XChart asks for the labels of the steps it takes; where it takes none, for two. */
  @ParameterizedTest
  @MethodSource("values")
  void drawnAxesAreLabelled(double[] values) {
    boolean signed = values[0] < 0;
    double[] other = DoubleStream.iterate(1, v -> v + 1).limit(values.length).toArray();
    Panel panel =
        signed
            ? panel(Axes.SIGNED_LOG_Y, new Curve("", other, values, 0, Stroke.LINE))
            : panel(Axes.LOG_BOTH, new Curve("", values, values, 0, Stroke.LINE));
    XYChart chart = picture(panel).chart(panel);
    Set<String> x = new TreeSet<>();
    Set<String> y = new TreeSet<>();
    chart
        .getStyler()
        .setXAxisTickLabelsFormattingFunction(
            noting(x, chart.getStyler().getXAxisTickLabelsFormattingFunction()));
    chart
        .getStyler()
        .setYAxisTickLabelsFormattingFunction(
            noting(y, chart.getStyler().getYAxisTickLabelsFormattingFunction()));
    paint(chart);

    assertThat(x).hasSizeGreaterThanOrEqualTo(3);
    assertThat(y).hasSizeGreaterThanOrEqualTo(3);
  }

  private static Function<Double, String> noting(
      Set<String> labels, Function<Double, String> format) {
    return height -> {
      String label = format.apply(height);
      if (!label.isBlank()) {
        labels.add(label);
      }
      return label;
    };
  }

  private static void paint(XYChart chart) {
    BufferedImage image =
        new BufferedImage(chart.getWidth(), chart.getHeight(), BufferedImage.TYPE_INT_RGB);
    Graphics2D graphics = image.createGraphics();
    chart.paint(graphics, chart.getWidth(), chart.getHeight());
    graphics.dispose();
  }

  @Test
  void aCurveWithoutPointsLeavesItsNameToTheNextOfItsColour() {
    double[] steps = {1, 10, 1000};
    double[] nothing = {-1, -1, -1};
    double[] falling = {1, 0.1, 1e-4};
    Panel panel =
        panel(
            Axes.LOG_BOTH,
            new Curve("B = 1", steps, nothing, 0, Stroke.LINE),
            new Curve("", steps, falling, 0, Stroke.DOTS),
            new Curve("", steps, falling, 0, Stroke.DOTS),
            new Curve("B = 4", steps, falling, 1, Stroke.LINE),
            new Curve("", steps, falling, 1, Stroke.DOTS));

    assertThat(legend(panel)).containsExactly("B = 1", "B = 4");
  }

  private static List<String> legend(Panel panel) {
    List<String> names = new ArrayList<>();
    for (XYSeries series : picture(panel).chart(panel).getSeriesCollection()) {
      if (series.isShowInLegend()) {
        names.add(series.getName());
      }
    }
    return names;
  }

  @Test
  void anAxisSaysHowManyDotsAreLeftOut() {
    double[] steps = {1, 10, 1000};
    Panel panel =
        panel(
            Axes.LOG_BOTH,
            new Curve("a", steps, new double[] {1, 0, -1e-4}, 0, Stroke.DOTS),
            new Curve("b", steps, new double[] {1, 2, Double.NaN}, 1, Stroke.DOTS),
            new Curve("c", steps, new double[] {1, 2, -1}, 2, Stroke.LINE));
    XYChart chart = picture(panel).chart(panel);

    assertThat(chart.getXAxisTitle()).isEqualTo("x");
    assertThat(chart.getYAxisTitle()).isEqualTo("y; left out: 2 of 5 dots, not above 0");
  }

  /** All runs may have diverged. */
  @ParameterizedTest
  @EnumSource
  void aPanelMayBeEmpty(Axes axes) {
    double[] nothing = {Double.NaN, Double.POSITIVE_INFINITY};
    Panel panel = panel(axes, new Curve("a", nothing, nothing, 0, Stroke.LINE));

    assertThat(legend(panel)).isEmpty();
    assertThat(picture(panel).render().getHeight()).isPositive();
  }

  private static Panel panel(Axes axes, Curve... curves) {
    return new Panel("", "x", "y", axes, Map.of(), List.of(curves));
  }

  private static Picture picture(Panel panel) {
    return new Picture("picture", "", List.of(panel));
  }
}
