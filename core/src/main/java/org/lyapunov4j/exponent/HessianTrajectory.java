// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.exponent;

import java.util.Optional;
import java.util.function.Supplier;
import org.lyapunov4j.exponent.TrajectoryExponent.Curvature;
import org.lyapunov4j.exponent.TrajectoryExponent.Frame;
import org.lyapunov4j.exponent.TrajectoryExponent.State;
import org.lyapunov4j.exponent.TrajectoryExponent.Window;
import org.lyapunov4j.gram.GramMatrix;
import org.lyapunov4j.gram.Vectors;
import org.lyapunov4j.step.RandomStream;
import org.lyapunov4j.step.SgdStep;

/**
 * The finite-time exponent along a training trajectory with the full Hessian: one tangent vector of
 * training, that takes each step with training,
 *
 * <pre>
 *   v ← keep·v − (η/|S|) μ H_S(θ) v,
 * </pre>
 *
 * <p>with momentum also on its velocity, at the parameters θ before that step, with the learning
 * rate and the weights μ in force in it. It starts in the span of the gradients, v = μ Aᵀ w with
 * random w. Checkpoints only measure ‖A v‖, with momentum as in {@link TrajectoryExponent}, so that
 * v does not depend on how many there are. The one exception: where the outputs see less than 1e-6
 * of v at a checkpoint, the rest of v is dropped there, for errors of the products with it would
 * count.
 *
 * <p>Not thread-safe.
 */
public final class HessianTrajectory {
  /** Keys of random streams. */
  private static final long START = 1;

  private static final long SIZE = 3;

  /** ‖A v‖ over about its bound √trace G ‖v‖: below, errors of the products would count. */
  private static final double INVISIBLE = 1e-6;

  private final RandomStream random;
  private final int examples;
  private final int parameters;
  private final EpochDraws draws;
  private HessianVector vector;
  private long steps;
  private long drawn;
  private int annihilations;
  private double error;

  /**
   * A trajectory before its start.
   *
   * @param seed fixes the starting vector and every draw
   * @param examples N, which mini-batches are drawn from
   * @param parameters P
   */
  public HessianTrajectory(long seed, int examples, int parameters) {
    random = new RandomStream(seed);
    draws = new EpochDraws(random);
    this.examples = examples;
    this.parameters = parameters;
  }

  /**
   * A trajectory that goes on where another stopped, bit for bit.
   *
   * @param seed of the other
   * @param examples of the other
   * @param state of the other
   * @return the continuation; its count of drawn mini-batches starts at 0
   */
  public static HessianTrajectory resume(long seed, int examples, State state) {
    double[] position = state.position();
    HessianTrajectory trajectory = new HessianTrajectory(seed, examples, position.length);
    trajectory.vector = new HessianVector(position, state.velocity(), state.logNorm());
    trajectory.steps = state.steps();
    trajectory.annihilations = state.annihilated() ? 1 : 0;
    return trajectory;
  }

  /**
   * How far the vector has come at a checkpoint, since its start.
   *
   * @param steps taken
   * @param drawn how many of them took the mini-batch that training took
   * @param logNorm log ‖A v‖ over that at the start, nats
   * @param annihilations how often a vector was annihilated and another one started
   * @param error the largest relative error seen of products with the Hessian
   */
  public record Mark(long steps, long drawn, double logNorm, int annihilations, double error) {
    /**
     * The window from one mark to this one.
     *
     * @param before an earlier mark of the same trajectory, at least a step ago
     * @param index of the window
     * @return its growth; −∞ if the vector was annihilated in it
     */
    public Window since(Mark before, int index) {
      if (steps <= before.steps) {
        throw new IllegalArgumentException(
            "a window must have at least 1 step, got " + (steps - before.steps));
      }
      return new Window(
          index,
          steps - before.steps,
          drawn - before.drawn,
          annihilations > before.annihilations
              ? Double.NEGATIVE_INFINITY
              : logNorm - before.logNorm,
          steps,
          annihilations > 0 ? Double.NEGATIVE_INFINITY : logNorm,
          Curvature.HESSIAN,
          error);
    }
  }

  /**
   * Takes a step.
   *
   * @param step in force in it
   * @param weights μ in force in it, length P; null for ones
   * @param hessian products at the parameters before it
   * @param taken the examples of the mini-batch that training took; null where they are not known,
   *     which then are drawn as the step says
   * @throws IllegalStateException before the start
   * @throws IllegalArgumentException if the vector does not stay finite
   */
  public void step(SgdStep step, double[] weights, BatchHessian hessian, int[] taken) {
    if (vector == null) {
      throw new IllegalStateException("a trajectory starts at a checkpoint, before its first step");
    }
    int[] batch = taken == null ? draws.next(steps, step, examples) : taken;
    vector.apply(step, weights, hessian, batch);
    error = hessian.relativeError();
    steps++;
    drawn += taken == null ? 0 : 1;
  }

  /**
   * Whether there is a vector to step with.
   *
   * @return true from the first mark on
   */
  public boolean hasStarted() {
    return vector != null;
  }

  /**
   * Steps that took the mini-batch that training took.
   *
   * @return since the start, or since it was resumed
   */
  public long drawn() {
    return drawn;
  }

  /**
   * How often a vector was annihilated and another one started.
   *
   * @return as found at marks
   */
  public int annihilations() {
    return annihilations;
  }

  /**
   * Measures the vector at a checkpoint; starts it at the first one, and again after one at which
   * no output sees anything of it.
   *
   * @param step in force
   * @param map A and μ
   * @param gram G = A diag(μ) Aᵀ, asked for only where outputs see too little of v
   * @return empty if A is zero
   */
  public Optional<Mark> mark(SgdStep step, TangentMap map, Supplier<GramMatrix> gram) {
    double[] seen = map.outputs(probe(map.weights()));
    double bound = Math.sqrt(Vectors.dot(seen, seen));
    if (!(bound > 0)) {
      return Optional.empty();
    }
    double logNorm = vector == null ? 0 : vector.logNorm(step, map);
    if (vector == null || logNorm == Double.NEGATIVE_INFINITY) {
      annihilations += vector == null ? 0 : 1;
      vector = HessianVector.start(gradient(map, seen.length), step, map);
      logNorm = 0;
    } else if (vector.isHidden(map, INVISIBLE * bound)) {
      vector.cut(new Frame(gram.get(), step, map));
      logNorm = vector.logNorm(step, map);
    }
    return Optional.of(new Mark(steps, drawn, logNorm, annihilations, error));
  }

  /** μ Aᵀ w with random w. */
  private double[] gradient(TangentMap map, int outputs) {
    RandomStream stream = random.split(START).split(steps);
    double[] coefficients = new double[outputs];
    for (int i = 0; i < outputs; i++) {
      coefficients[i] = stream.nextGaussian();
    }
    return Weights.times(map.weights(), map.gradient(coefficients));
  }

  /** √μ z with the same normal z at all times, for ‖A √μ z‖ is about √trace G. */
  private double[] probe(double[] weights) {
    RandomStream stream = random.split(SIZE);
    double[] probe = new double[parameters];
    for (int p = 0; p < parameters; p++) {
      probe[p] = stream.nextGaussian() * (weights == null ? 1 : Math.sqrt(weights[p]));
    }
    return probe;
  }

  /**
   * All that is carried.
   *
   * @param windows that are finished
   * @return what to {@linkplain #resume resume} from; empty before the start
   */
  public Optional<State> state(int windows) {
    return vector == null
        ? Optional.empty()
        : Optional.of(
            State.of(
                windows,
                steps,
                vector.scale(),
                annihilations > 0,
                vector.position(),
                vector.velocity()));
  }
}
