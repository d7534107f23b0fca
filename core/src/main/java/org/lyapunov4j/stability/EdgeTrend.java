// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.stability;

import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.stream.DoubleStream;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.hipparchus.distribution.continuous.TDistribution;
import org.lyapunov4j.step.SgdStep;

/**
 * The latest critical learning rates of a run, and where they lead: the straight line through the
 * edge ratios that the present learning rate would have had at the latest six checkpoints.
 * Immutable and small enough to be saved.
 *
 * <p>Real curves bend and scatter, and may level off below 1. Of recorded runs (docs/decisions.md)
 * the interval covers the first crossing nine times of ten, the line itself comes early.
 *
 * @param step the step the rates belong to, but for its learning rate; null if there are none
 * @param points oldest first, iterations ascending; at most six
 */
public record EdgeTrend(SgdStep step, List<Point> points) {
  /** Before the first checkpoint. */
  public static final EdgeTrend NONE = new EdgeTrend(null, List.of());

  /** Longer windows do not see that a curve levels off, shorter ones see its scatter only. */
  private static final int MOST = 6;

  private static final int FEWEST = 4;

  /** Extrapolations over more than the length of the window mostly never came true. */
  private static final double FURTHEST = 1;

  /** Fieller's g, above which the slope is too uncertain for an interval that tells anything. */
  private static final double MOST_UNCERTAIN = 0.5;

  private static final double QUANTILE = 0.975;

  /** {@inheritDoc} */
  public EdgeTrend {
    points = List.copyOf(points);
    if (points.size() > MOST || (step == null) != points.isEmpty()) {
      throw new IllegalArgumentException(
          "a trend must have a step and at most " + MOST + " points, got " + points.size());
    }
    for (int i = 1; i < points.size(); i++) {
      if (points.get(i).iteration() <= points.get(i - 1).iteration()) {
        throw new IllegalArgumentException("the iterations of a trend must ascend, got " + points);
      }
    }
  }

  /**
   * A checkpoint of the trend.
   *
   * @param iteration of training
   * @param rate η_c there, positive and finite
   */
  public record Point(long iteration, double rate) {
    /** {@inheritDoc} */
    public Point {
      if (!(rate > 0 && rate < Double.POSITIVE_INFINITY)) {
        throw new IllegalArgumentException(
            "a critical learning rate must be positive and finite, got " + rate);
      }
    }
  }

  /**
   * The trend after a further checkpoint. A step that differs in more than its learning rate begins
   * a new trend; an iteration that was seen before takes the place of what came after it.
   *
   * @param iteration of the checkpoint
   * @param at the step there
   * @param edge η_c there
   * @return the trend
   */
  public EdgeTrend with(long iteration, SgdStep at, CriticalLearningRate edge) {
    if (!(edge.value() > 0 && edge.value() < Double.POSITIVE_INFINITY)) {
      return this;
    }
    SgdStep anyRate = Objects.requireNonNull(at, "at").withLearningRate(1);
    Stream<Point> before =
        anyRate.equals(step)
            ? points.stream().filter(point -> point.iteration() < iteration)
            : Stream.empty();
    List<Point> all = Stream.concat(before, Stream.of(new Point(iteration, edge.value()))).toList();
    return new EdgeTrend(anyRate, all.subList(Math.max(0, all.size() - MOST), all.size()));
  }

  /**
   * When 1 is reached.
   *
   * @param learningRate η, as it will stay
   * @return empty before the fourth checkpoint, at and above the edge, where no upward slope stands
   *     out from the scatter, and where 1 is further away than the time that was seen
   */
  public Optional<EdgeForecast> forecast(double learningRate) {
    int n = points.size();
    if (n < FEWEST || learningRate / points.get(n - 1).rate() >= 1) {
      return Optional.empty();
    }
    double[] ratios = points.stream().mapToDouble(p -> learningRate / p.rate()).toArray();
    double first = points.get(0).iteration();
    double last = points.get(n - 1).iteration() - first;
    double[] times = points.stream().mapToDouble(p -> p.iteration() - first).toArray();
    double time = DoubleStream.of(times).average().orElseThrow();
    double ratio = DoubleStream.of(ratios).average().orElseThrow();
    double spread = IntStream.range(0, n).mapToDouble(i -> square(times[i] - time)).sum();
    double slope =
        IntStream.range(0, n).mapToDouble(i -> (times[i] - time) * ratios[i]).sum() / spread;
    double scatter =
        IntStream.range(0, n)
                .mapToDouble(i -> square(ratios[i] - ratio - slope * (times[i] - time)))
                .sum()
            / (n - 2);
    double t = new TDistribution(n - 2).inverseCumulativeProbability(QUANTILE);
    double g = t * t * scatter / (slope * slope * spread);
    double ahead = (1 - ratio) / slope;
    double reached = time + ahead;
    if (!(slope > 0 && g < MOST_UNCERTAIN && reached > last && reached - last <= FURTHEST * last)) {
      return Optional.empty();
    }
    // Fieller (1954), the abscissa where a fitted line takes a given value
    double middle = time + ahead / (1 - g);
    double half = t / slope * Math.sqrt(scatter * ((1 - g) / n + ahead * ahead / spread)) / (1 - g);
    return Optional.of(
        new EdgeForecast(
            first + reached,
            first + Math.min(reached, Math.max(last, middle - half)),
            first + Math.max(reached, middle + half)));
  }

  private static double square(double x) {
    return x * x;
  }
}
