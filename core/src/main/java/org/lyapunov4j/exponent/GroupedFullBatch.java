// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.exponent;

import java.util.Arrays;
import java.util.Optional;
import java.util.function.DoubleUnaryOperator;
import org.lyapunov4j.gram.GramMatrix;
import org.lyapunov4j.gram.GramSpectrum;
import org.lyapunov4j.gram.GroupedGram;
import org.lyapunov4j.gram.LargestEigenpair;
import org.lyapunov4j.gram.PencilMode;
import org.lyapunov4j.gram.Vectors;
import org.lyapunov4j.step.GroupedStep;
import org.lyapunov4j.step.ParameterGroup;
import org.lyapunov4j.step.RandomStream;
import org.lyapunov4j.step.SgdStep;

/**
 * The deterministic step of groups of parameters on all N examples.
 *
 * <p>ρ is an eigenvalue of it exactly if T(ρ) = I − Σ_h G_h / (N h_h(ρ)) is singular, h_h(ρ) the
 * curvature along which a step of group h alone has the eigenvalue ρ; without memory h_h = (1 − d_h
 * − ρ)/η. For a real ρ that is a symmetric matrix of the size of G, whatever the number of groups.
 *
 * <ul>
 *   <li>Beyond a radius, 0 without memory, every eigenvalue is real: the imaginary parts of all
 *       1/h_h have one sign there, so that xᴴT x = 0 is impossible.
 *   <li>So stability is lost at ρ = −1, and only there: the edge is λ_max(Σ G_h/(N c_h)) = 1 with
 *       the critical curvatures c_h = h_h(−1).
 *   <li>μ is the larger of the two ends of the real spectrum. Where decay differs, the upper end is
 *       a creep: directions that change the outputs of one group by the opposite of what they
 *       change those of another.
 * </ul>
 *
 * <p>Directions without any effect on the outputs (s = 0) of groups that decay alike are
 * eigenvectors of their own and left out as ker G is. Eigenvalues are found by iteration with
 * Rayleigh functionals (H. Voss, <i>Nonlinear eigenvalue problems</i>, Handbook of Linear Algebra,
 * 2013), which converges quadratically.
 *
 * <p>Immutable.
 */
public final class GroupedFullBatch {
  private static final double LANCZOS_TOLERANCE = 1e-12;
  private static final int MOST_PRODUCTS = 500;
  private static final int MOST_ITERATIONS = 40;

  /** Of the distance to the pole, or of a rate. */
  private static final double TOLERANCE = 1e-12;

  private static final int MOST_HALVINGS = 2200;

  /** Where I + C is uncertain by more than this, slower modes may be lost. */
  private static final double LARGEST_SLACK = 0.01;

  private final GroupedGram gram;
  private final GroupedStep step;
  private final StepRecursion[] updates;
  private final int examples;
  private final double radius;
  private final Optional<GroupedMode> slowest;

  private GroupedFullBatch(GroupedGram gram, GroupedStep step) {
    if (gram.parts().size() != step.groups().size()) {
      throw new IllegalArgumentException(
          "a grouped step needs a part of the Gram matrix for each group, got "
              + gram.parts().size()
              + " for "
              + step.groups().size());
    }
    this.gram = gram;
    this.step = step;
    examples = gram.whole().examples();
    updates = updates(step);
    radius = Arrays.stream(updates).mapToDouble(StepRecursion::oscillationRadius).max().orElse(0);
    slowest = findSlowest();
  }

  /**
   * Analyses the full-batch step.
   *
   * @param gram G and its parts, G ≠ 0
   * @param step the groups; learning rate above 0
   * @return its edge and exponent
   */
  public static GroupedFullBatch of(GroupedGram gram, GroupedStep step) {
    return new GroupedFullBatch(gram, step);
  }

  /**
   * The gauge of the edge: λ_max(Σ_h G_h / (N c_h)), c_h the curvature a step of group h alone
   * tolerates. Sharpness over what is tolerated where all groups are alike.
   *
   * @param gram G and its parts
   * @param step the groups
   * @return a number that is 1 at the edge of the full-batch step
   */
  public static double edgeRatio(GroupedGram gram, GroupedStep step) {
    StepRecursion[] updates = updates(step);
    return top(gram, inverse(updates, -1)).value() / gram.whole().examples();
  }

  /**
   * The learning rate at which the full-batch step loses stability, exactly.
   *
   * @param gram G and its parts, G ≠ 0
   * @param step the groups; its learning rate does not matter
   * @return η with {@link #edgeRatio} = 1
   */
  public static double criticalLearningRate(GroupedGram gram, GroupedStep step) {
    double[] weights = Arrays.stream(plain(step)).map(tolerated -> 1 / tolerated).toArray();
    double[] vector = top(gram, weights).vector();
    double rate = Double.POSITIVE_INFINITY;
    for (int iteration = 0; iteration < MOST_ITERATIONS; iteration++) {
      double next = criticalLearningRate(curvatures(gram, vector), step);
      if (Math.abs(next - rate) <= TOLERANCE * next) {
        return next;
      }
      rate = next;
      vector = top(gram, inverse(updates(step.withLearningRate(rate)), -1)).vector();
    }
    return rate;
  }

  /** Along one direction whose curvature every group has a share of. */
  private static double criticalLearningRate(double[] curvatures, GroupedStep step) {
    double[] tolerated = plain(step);
    double without = 0;
    for (int h = 0; h < curvatures.length; h++) {
      without += curvatures[h] / tolerated[h];
    }
    return root(
        0,
        1 / without,
        rate -> {
          double sum = 0;
          for (int h = 0; h < curvatures.length; h++) {
            ParameterGroup group = step.groups().get(h);
            double left = tolerated[h] * (1 / rate - group.weightDecay() / 2) - group.l2();
            sum += left > 0 ? curvatures[h] / left : Double.POSITIVE_INFINITY;
          }
          return sum - 1;
        });
  }

  /** The curvature that each group tolerates at the learning rate 1, without its decay. */
  private static double[] plain(GroupedStep step) {
    SgdStep unit = step.common().withLearningRate(1).withL2(0).withWeightDecay(0);
    return step.groups().stream()
        .mapToDouble(
            group -> FullBatchExponent.criticalCurvature(unit.withMomentum(group.momentum())))
        .toArray();
  }

  /**
   * The exponent μ, the largest log|ρ|.
   *
   * @return μ, or a bound where slower directions may be hidden by rounding or oscillate
   */
  public LyapunovExponent exponent() {
    double upper = slowest.map(GroupedMode::rho).orElse(0.0);
    double lower = mostNegative(Math.max(upper, radius));
    double largest = Math.max(upper, lower);
    if (largest <= radius) {
      return new ExponentBound(
          slowest.map(GroupedMode::exponent).orElse(Double.NEGATIVE_INFINITY),
          Math.log(radius),
          radius < 1 ? Sign.NEGATIVE : Sign.UNDECIDED,
          "every direction oscillates, none faster than that");
    }
    return lower > upper ? new ExactExponent(Math.log(lower)) : slowExponent();
  }

  private LyapunovExponent slowExponent() {
    double value = slowest.map(GroupedMode::exponent).orElse(Double.NEGATIVE_INFINITY);
    return hidden(value).<LyapunovExponent>map(bound -> bound).orElse(new ExactExponent(value));
  }

  /** What is left of a negative exponent where there may be slower directions. */
  Optional<ExponentBound> hidden(double value) {
    double ceiling = Math.min(0, Math.log(GroupedMode.idle(step)));
    if (slowest.isEmpty()) {
      return Optional.of(
          new ExponentBound(
              Math.min(value, Math.max(ceiling, Math.log(radius))),
              Double.isNaN(ceiling) ? 0 : Math.max(ceiling, Math.min(0, Math.log(radius))),
              Sign.NEGATIVE,
              "the slowest direction of the groups is not known"));
    }
    GroupedMode mode = slowest.get();
    if (mode.isResolved()) {
      return Optional.empty();
    }
    double low = ceiling + (1 + mode.slack()) * (Math.min(value, ceiling) - ceiling);
    return Optional.of(
        new ExponentBound(low, ceiling, Sign.NEGATIVE, ExponentBound.LOST_IN_ROUNDING));
  }

  /** The mode of the largest positive eigenvalue, if it is real and known. */
  Optional<GroupedMode> slowest() {
    return slowest;
  }

  private Optional<GroupedMode> findSlowest() {
    double pole = GroupedMode.idle(step);
    if (!(pole > radius)) {
      return Optional.empty();
    }
    boolean[] front = new boolean[updates.length];
    double floor = radius;
    for (int h = 0; h < updates.length; h++) {
      double idle = updates[h].idleEigenvalue();
      front[h] = idle == pole;
      floor = idle < pole ? Math.max(floor, idle) : floor;
    }
    return new SlowSearch(front, pole, floor).run();
  }

  /**
   * The search for the largest eigenvalue below the pole of the groups that decay slowest. There
   * T(ρ) has as many negative eigenvalues as those groups have rank, and ρ is where the first of
   * them turns positive: where the smallest nonzero eigenvalue of their part, measured by the rest
   * of T, is the curvature that goes with ρ.
   */
  private final class SlowSearch {
    private final boolean[] front;
    private final double pole;
    private final double floor;
    private final int reference;
    private GramMatrix matrix;
    private GramSpectrum spectrum;

    SlowSearch(boolean[] front, double pole, double floor) {
      this.front = front;
      this.pole = pole;
      this.floor = floor;
      int first = 0;
      while (!front[first]) {
        first++;
      }
      reference = first;
    }

    Optional<GroupedMode> run() {
      double rho = pole - 1e-3 * (pole - floor);
      double low = floor;
      double high = pole;
      for (int iteration = 0; iteration < MOST_ITERATIONS; iteration++) {
        Optional<PencilMode> found = mode(rho);
        if (found.isEmpty()) {
          return Optional.empty();
        }
        PencilMode mode = found.get();
        boolean above = updates[reference].curvatureAt(rho) * examples < mode.eigenvalue();
        low = above ? low : rho;
        high = above ? rho : high;
        double next = functional(mode.vector());
        if (Math.abs(next - rho) <= TOLERANCE * (pole - rho) + Math.ulp(pole)) {
          return next > floor
              ? Optional.of(
                  new GroupedMode(
                      mode.vector(),
                      next,
                      mode.isResolved() && mode.slack() < LARGEST_SLACK,
                      mode.slack()))
              : Optional.empty();
        }
        rho = next > low && next < high ? next : 0.5 * (low + high);
        if (!(rho > low && rho < high)) {
          return Optional.empty();
        }
      }
      return Optional.empty();
    }

    private Optional<PencilMode> mode(double rho) {
      decompose(rho);
      if (!spectrum.hasEigenvectors()) {
        return Optional.empty();
      }
      double[] rest = new double[updates.length];
      boolean alone = true;
      for (int h = 0; h < updates.length; h++) {
        if (!front[h]) {
          rest[h] = -1 / (examples * updates[h].curvatureAt(rho));
          alone &= rest[h] == 0;
        }
      }
      return alone
          ? PencilMode.of(spectrum)
          : PencilMode.of(matrix, spectrum, GramMatrix.weightedSum(gram.parts(), rest));
    }

    /** The part of the groups in front, each in units of the first. */
    private void decompose(double rho) {
      double[] weights = new double[updates.length];
      int count = 0;
      double unit = updates[reference].curvatureAt(rho);
      for (int h = 0; h < updates.length; h++) {
        if (front[h]) {
          weights[h] = h == reference ? 1 : unit / updates[h].curvatureAt(rho);
          count++;
        }
      }
      if (spectrum == null || count > 1) {
        matrix = gram.sum(weights);
        spectrum = GramSpectrum.of(matrix);
      }
    }

    /** ρ where xᵀT(ρ)x = 0. */
    private double functional(double[] x) {
      double[] curvatures = curvatures(gram, x);
      return root(
          floor,
          pole,
          rho -> {
            double sum = 0;
            for (int h = 0; h < updates.length; h++) {
              double curvature = updates[h].curvatureAt(rho);
              sum += curvatures[h] == 0 ? 0 : curvatures[h] / curvature;
            }
            return sum - 1;
          });
    }
  }

  /** −ρ for the most negative eigenvalue; 0 if there is none below −from. */
  private double mostNegative(double from) {
    double radius = from;
    while (!isTolerated(radius)) {
      radius = 2 * radius + 1;
    }
    double[] vector = top(gram, inverse(updates, -radius)).vector();
    if (radius == from && share(curvatures(gram, vector), from) <= 0) {
      return 0;
    }
    double best = 0;
    for (int iteration = 0; iteration < MOST_ITERATIONS; iteration++) {
      double[] curvatures = curvatures(gram, vector);
      double high = Math.max(1, radius);
      while (share(curvatures, high) > 0) {
        high *= 2;
      }
      double next = root(high, from, r -> share(curvatures, r));
      if (Math.abs(next - best) <= TOLERANCE * next) {
        return next;
      }
      best = next;
      vector = top(gram, inverse(updates, -best)).vector();
    }
    return best;
  }

  private boolean isTolerated(double radius) {
    return Arrays.stream(updates).allMatch(update -> update.curvatureAt(-radius) > 0);
  }

  /** Σ a_h/h_h(−r) − 1. */
  private double share(double[] curvatures, double r) {
    double sum = 0;
    for (int h = 0; h < updates.length; h++) {
      double curvature = updates[h].curvatureAt(-r);
      sum += curvature > 0 ? curvatures[h] / curvature : Double.POSITIVE_INFINITY;
    }
    return sum - 1;
  }

  /** By halving, until no number is between: where f ≤ 0 at low and f > 0 at high, in any order. */
  private static double root(double low, double high, DoubleUnaryOperator f) {
    double below = low;
    double above = high;
    for (int i = 0; i < MOST_HALVINGS; i++) {
      double middle = 0.5 * (below + above);
      if (middle == below || middle == above) {
        break;
      }
      if (f.applyAsDouble(middle) > 0) {
        above = middle;
      } else {
        below = middle;
      }
    }
    return 0.5 * (below + above);
  }

  private static StepRecursion[] updates(GroupedStep step) {
    StepRecursion[] updates = new StepRecursion[step.groups().size()];
    for (int h = 0; h < updates.length; h++) {
      updates[h] = StepRecursion.of(step.of(h));
    }
    return updates;
  }

  private static double[] inverse(StepRecursion[] updates, double rho) {
    return Arrays.stream(updates).mapToDouble(update -> 1 / update.curvatureAt(rho)).toArray();
  }

  /** The largest eigenpair of Σ weights_h G_h. */
  private static LargestEigenpair top(GroupedGram gram, double[] weights) {
    double[] part = new double[gram.whole().size()];
    return LargestEigenpair.of(
        (x, y) -> {
          Arrays.fill(y, 0);
          for (int h = 0; h < weights.length; h++) {
            gram.parts().get(h).multiply(x, part);
            for (int i = 0; i < y.length; i++) {
              y[i] += weights[h] * part[i];
            }
          }
        },
        new RandomStream(1).gaussians(part.length),
        LANCZOS_TOLERANCE,
        MOST_PRODUCTS);
  }

  /** xᵀG_h x / N for x of norm 1. */
  private static double[] curvatures(GroupedGram gram, double[] x) {
    double[] image = new double[x.length];
    double[] curvatures = new double[gram.parts().size()];
    for (int h = 0; h < curvatures.length; h++) {
      gram.parts().get(h).multiply(x, image);
      curvatures[h] = Math.max(0, Vectors.dot(x, image)) / gram.whole().examples();
    }
    return curvatures;
  }
}
