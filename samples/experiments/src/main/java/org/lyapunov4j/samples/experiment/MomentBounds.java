// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.samples.experiment;

import java.util.Arrays;
import java.util.Comparator;
import java.util.stream.IntStream;
import org.lyapunov4j.gram.GramMatrix;
import org.lyapunov4j.gram.LargestEigenpair;

/**
 * Lower bounds of 2/η_ms, each at least as large as the one before, for independent mini-batches
 * without replacement. Along a unit vector v with the curvature h = vᵀHv of the mean loss and h_i =
 * vᵀH_i v of every example, stability in mean square needs
 *
 * <pre>
 *   2/η &gt; h + p·var(h_i)/h,   p = (N − B)/(B(N − 1)), var = (1/N) Σ (h_i − h)²
 * </pre>
 *
 * <p>Source: R. Mulayoff, T. Michaeli, <i>Exact Mean Square Linear Stability Analysis for SGD</i>,
 * COLT 2024, arXiv 2306.07850, whose equations (15) and (24) these are, with the Gauss–Newton
 * matrix for the Hessian.
 *
 * @param sharpness κ_max/N, the largest h
 * @param alongTop at its direction, (15)
 * @param best the largest that an ascent from several directions finds, (24)
 */
record MomentBounds(double sharpness, double alongTop, double best) {
  /** Directions of single outputs of single examples from which the ascent starts too. */
  private static final int MOST_STARTS = 4;

  private static final int MOST_STEPS = 2000;

  /** From 2 on what is in the null space of G, where no bound shows it, would grow. */
  private static final double LARGEST_STEP = 1.5;

  private static final double SMALLEST_STEP = 1e-3;
  private static final double LEAST_GAIN = 1e-10;

  static MomentBounds of(GramMatrix gram, int batchSize) {
    int examples = gram.examples();
    double noise = examples == 1 ? 0 : (examples - batchSize) / (batchSize * (examples - 1.0));
    LargestEigenpair top = LargestEigenpair.of(gram);
    Direction first = Direction.of(gram, noise, top.vector());
    double best = ascent(first);
    for (int row : starts(gram, noise)) {
      best = Math.max(best, ascent(Direction.of(gram, noise, unit(gram.size(), row))));
    }
    return new MomentBounds(top.value() / examples, first.bound(), best);
  }

  private static int[] starts(GramMatrix gram, double noise) {
    double[] bounds = new double[gram.size()];
    Arrays.setAll(
        bounds,
        row ->
            gram.get(row, row) > 0 ? Direction.of(gram, noise, unit(gram.size(), row)).bound() : 0);
    return IntStream.range(0, bounds.length)
        .filter(row -> bounds[row] > 0)
        .boxed()
        .sorted(Comparator.comparingDouble(row -> -bounds[row]))
        .limit(MOST_STARTS)
        .mapToInt(Integer::intValue)
        .toArray();
  }

  private static double[] unit(int size, int row) {
    double[] vector = new double[size];
    vector[row] = 1;
    return vector;
  }

  /** Up the gradient, by longer steps while they help. */
  private static double ascent(Direction start) {
    Direction at = start;
    double step = 1;
    for (int i = 0; i < MOST_STEPS && step >= SMALLEST_STEP; i++) {
      Direction next = at.along(step);
      if (next.bound() > at.bound()) {
        boolean done = next.bound() < at.bound() * (1 + LEAST_GAIN);
        at = next;
        if (done) {
          break;
        }
        step = Math.min(LARGEST_STEP, 1.5 * step);
      } else {
        step /= 2;
      }
    }
    return at.bound();
  }

  /** v = Jᵀc of norm 1, where G = JJᵀ. */
  private static final class Direction {
    private final GramMatrix gram;
    private final double noise;
    private final double[] coefficients;

    /** Gc = Jv, whose squares over the rows of an example are h_i. */
    private final double[] image;

    private final double[] curvatures;
    private final double mean;

    /** h² + p·var. */
    private final double moment;

    private Direction(GramMatrix gram, double noise, double[] coefficients, double[] image) {
      this.gram = gram;
      this.noise = noise;
      this.coefficients = coefficients;
      this.image = image;
      curvatures = new double[gram.examples()];
      for (int row = 0; row < image.length; row++) {
        curvatures[row / gram.outputs()] += image[row] * image[row];
      }
      mean = Arrays.stream(curvatures).average().orElseThrow();
      double variance =
          Arrays.stream(curvatures).map(h -> (h - mean) * (h - mean)).average().orElseThrow();
      moment = mean * mean + noise * variance;
    }

    static Direction of(GramMatrix gram, double noise, double[] coefficients) {
      double[] image = new double[gram.size()];
      gram.multiply(coefficients, image);
      double square = 0;
      for (int row = 0; row < image.length; row++) {
        square += coefficients[row] * image[row];
      }
      double scale = 1 / Math.sqrt(square);
      return new Direction(gram, noise, times(scale, coefficients), times(scale, image));
    }

    private static double[] times(double factor, double[] vector) {
      return Arrays.stream(vector).map(value -> factor * value).toArray();
    }

    double bound() {
      return moment / mean;
    }

    /** A step along half the gradient of log(bound) in v, which is Jᵀ of what is added to c. */
    Direction along(double step) {
      double[] moved = coefficients.clone();
      int examples = gram.examples();
      for (int row = 0; row < moved.length; row++) {
        double weight = (1 - noise) * mean + noise * curvatures[row / gram.outputs()];
        double gradient =
            image[row] / examples * (2 * weight / moment - 1 / mean) - coefficients[row];
        moved[row] += step * gradient;
      }
      return of(gram, noise, moved);
    }
  }
}
