// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.exponent;

import java.util.Arrays;
import java.util.Objects;
import java.util.function.LongFunction;
import org.lyapunov4j.gram.GramMatrix;
import org.lyapunov4j.step.RandomStream;
import org.lyapunov4j.step.SgdStep;

/**
 * The finite-time exponent along a training trajectory: the growth of one tangent vector of
 * training, a direction v of the P parameters.
 *
 * <p><b>What is carried.</b> Linearised about the parameters θ in force, with the Gauss–Newton
 * matrix in place of the Hessian, a step on the mini-batch S does
 *
 * <pre>
 *   v ← keep·v − (η/|S|) μ A_Sᵀ A_S v,    A = Rᵀ J(θ)
 * </pre>
 *
 * <p>(with momentum also on the velocity), where J is the derivative of the outputs and H = R Rᵀ
 * the curvature of the loss. Between two checkpoints A is known at both ends only: each step takes
 * the A, the Gram matrix and the step of the nearer one, which errs by the square of the interval.
 * Since v is a direction of the parameters, it means the same at every checkpoint; coefficients w
 * of v = Aᵀ w do not, since A moves: kept, they revive at each checkpoint what had decayed before
 * it. The starting direction is v = μ Aᵀ w with random w, in the span of the gradients of the first
 * checkpoint. The velocity is carried with v, and the position within an epoch with both.
 *
 * <p>A vector that steps with the full Hessian is that of {@link HessianTrajectory}.
 *
 * <p><b>What is published.</b> The norm of v would say little: of P directions only m are seen by
 * any example, and what the moving A leaves behind of v neither grows nor shrinks. The growth is
 * that of r = A v, the change of the outputs in the metric of the loss,
 *
 * <pre>
 *   (1/n) log (‖A_n v_n‖ / ‖A_0 v_0‖)   nats per step,
 * </pre>
 *
 * <p>with A at the two ends, so that a change of A itself counts; ‖r‖²/N is vᵀ(Gauss–Newton
 * matrix)v. With momentum the norm is that of r and of the change that the velocity makes in it
 * together. At a fixed point where nothing moves it tends to λ. Values describe one realisation:
 * they have no error bar, and need none to be compared with the frozen λ.
 *
 * <p>Not thread-safe.
 */
public final class TrajectoryExponent {
  /** Key of a random stream. */
  private static final long START = 1;

  private final RandomStream random;
  private Frame frame;
  private final EpochDraws draws;
  private TangentVector vector;
  private State pending;
  private int windows;
  private long steps;
  private boolean annihilated;
  private boolean annihilatedNow;

  /**
   * A trajectory before its first window.
   *
   * @param seed fixes the starting vector and every draw
   */
  public TrajectoryExponent(long seed) {
    random = new RandomStream(seed);
    draws = new EpochDraws(random);
  }

  /**
   * A trajectory that goes on where another stopped: bit for bit if the next window begins at the
   * checkpoint at which the last one ended.
   *
   * @param seed of the other
   * @param state of the other after its last window
   * @return the continuation
   */
  public static TrajectoryExponent resume(long seed, State state) {
    TrajectoryExponent trajectory = new TrajectoryExponent(seed);
    trajectory.pending = state;
    trajectory.windows = state.windows();
    trajectory.steps = state.steps();
    trajectory.annihilated = state.annihilated();
    return trajectory;
  }

  /**
   * A checkpoint.
   *
   * @param gram G = A diag(μ) Aᵀ
   * @param step the step in force
   * @param map A and μ
   */
  public record Frame(GramMatrix gram, SgdStep step, TangentMap map) {
    /** {@inheritDoc} */
    public Frame {
      Objects.requireNonNull(gram, "gram");
      Objects.requireNonNull(step, "step");
      Objects.requireNonNull(map, "map");
    }
  }

  /** What the steps of a tangent vector take for the second derivative of the loss. */
  public enum Curvature {
    /** AᵀA, which leaves out the curvature of the network itself; that of λ. */
    GAUSS_NEWTON,
    /** The full Hessian of the loss of each mini-batch. */
    HESSIAN
  }

  /**
   * A finished window.
   *
   * @param index 0, 1, 2, …
   * @param steps steps in this window
   * @param drawn how many of them took the mini-batch that training took
   * @param growth log growth in this window, nats; −∞ if a step annihilated the vector, which then
   *     starts anew
   * @param cumulativeSteps steps in all windows so far
   * @param cumulativeGrowth log growth in all windows so far, nats
   * @param curvature what its steps took
   * @param curvatureError the largest relative error seen of products with it; 0 for the
   *     Gauss–Newton matrix
   */
  public record Window(
      int index,
      long steps,
      long drawn,
      double growth,
      long cumulativeSteps,
      double cumulativeGrowth,
      Curvature curvature,
      double curvatureError) {

    /**
     * A window of the Gauss–Newton matrix.
     *
     * @param index 0, 1, 2, …
     * @param steps steps in this window
     * @param drawn how many of them took the mini-batch that training took
     * @param growth log growth in this window, nats
     * @param cumulativeSteps steps in all windows so far
     * @param cumulativeGrowth log growth in all windows so far, nats
     */
    public Window(
        int index,
        long steps,
        long drawn,
        double growth,
        long cumulativeSteps,
        double cumulativeGrowth) {
      this(
          index,
          steps,
          drawn,
          growth,
          cumulativeSteps,
          cumulativeGrowth,
          Curvature.GAUSS_NEWTON,
          0);
    }

    /**
     * The finite-time exponent of this window.
     *
     * @return nats per step
     */
    public double exponent() {
      return growth / steps;
    }

    /**
     * The finite-time exponent of the whole trajectory so far.
     *
     * @return nats per step
     */
    public double cumulativeExponent() {
      return cumulativeGrowth / cumulativeSteps;
    }
  }

  /** All that a trajectory carries from window to window. Immutable. */
  public static final class State {
    private final int windows;
    private final long steps;
    private final double logNorm;
    private final boolean annihilated;
    private final double[] position;
    private final double[] velocity;

    private State(
        int windows,
        long steps,
        double logNorm,
        boolean annihilated,
        double[] position,
        double[] velocity) {
      this.windows = windows;
      this.steps = steps;
      this.logNorm = logNorm;
      this.annihilated = annihilated;
      this.position = requireFinite(position.clone());
      this.velocity = velocity == null ? null : requireFinite(velocity.clone());
    }

    /**
     * A state.
     *
     * @param windows that are finished
     * @param steps in these windows
     * @param logNorm what log ‖A v‖ must be increased by to be the growth so far
     * @param annihilated whether the growth so far is −∞, for a vector before this one
     * @param position v, length P
     * @param velocity that of v, length P; null without momentum
     * @return the state
     */
    public static State of(
        int windows,
        long steps,
        double logNorm,
        boolean annihilated,
        double[] position,
        double[] velocity) {
      return new State(windows, steps, logNorm, annihilated, position, velocity);
    }

    private static double[] requireFinite(double[] entries) {
      for (double entry : entries) {
        if (!Double.isFinite(entry)) {
          throw new IllegalArgumentException("a tangent vector must be finite, got " + entry);
        }
      }
      return entries;
    }

    /**
     * Windows that are finished.
     *
     * @return at least 1
     */
    public int windows() {
      return windows;
    }

    /**
     * Steps in these windows.
     *
     * @return at least 1
     */
    public long steps() {
      return steps;
    }

    /**
     * What log ‖A v‖ must be increased by to be the growth so far.
     *
     * @return nats
     */
    public double logNorm() {
      return logNorm;
    }

    /**
     * Whether the growth so far is −∞, for a vector before this one.
     *
     * @return true if a step annihilated it
     */
    public boolean annihilated() {
      return annihilated;
    }

    /**
     * The direction v.
     *
     * @return a new array of length P
     */
    public double[] position() {
      return position.clone();
    }

    /**
     * Its velocity.
     *
     * @return a new array of length P, or null without momentum
     */
    public double[] velocity() {
      return velocity == null ? null : velocity.clone();
    }

    @Override
    public boolean equals(Object other) {
      return other instanceof State that
          && windows == that.windows
          && steps == that.steps
          && Double.compare(logNorm, that.logNorm) == 0
          && annihilated == that.annihilated
          && Arrays.equals(position, that.position)
          && Arrays.equals(velocity, that.velocity);
    }

    @Override
    public int hashCode() {
      return Objects.hash(windows, steps, logNorm, Arrays.hashCode(position));
    }

    @Override
    public String toString() {
      return "tangent vector after " + steps + " steps in " + windows + " windows";
    }
  }

  /**
   * Takes the steps from one checkpoint to the next, with mini-batches as the steps' sampling draws
   * them.
   *
   * @param from the checkpoint the window begins at
   * @param to the one it ends at
   * @param count steps training took in between, at least 1
   * @return the window
   */
  public Window advance(Frame from, Frame to, long count) {
    return advance(from, to, count, step -> null);
  }

  /**
   * Takes the steps from one checkpoint to the next.
   *
   * @param from the checkpoint the window begins at; where it is not known any more, that of its
   *     end
   * @param to the one it ends at
   * @param count steps training took in between, at least 1
   * @param drawn the examples of the mini-batch that training took in a step of this window, 0 …
   *     count − 1; null where they are not known, which then are drawn as the step says
   * @return the window
   */
  public Window advance(Frame from, Frame to, long count, LongFunction<int[]> drawn) {
    if (count < 1) {
      throw new IllegalArgumentException("a window must have at least 1 step, got " + count);
    }
    annihilatedNow = false;
    double before = begin(from);
    long nearer = (count + 1) / 2;
    long known = take(drawn, 0, nearer);
    vector.rebase();
    enter(to);
    known += take(drawn, nearer, count);
    vector.rebase();
    if (vector.logNorm() == Double.NEGATIVE_INFINITY) {
      startAnew();
    }
    steps += count;
    annihilated |= annihilatedNow;
    double after = vector.logNorm();
    return new Window(
        windows++,
        count,
        known,
        annihilatedNow ? Double.NEGATIVE_INFINITY : after - before,
        steps,
        annihilated ? Double.NEGATIVE_INFINITY : after);
  }

  /**
   * All that is carried.
   *
   * @return what to {@linkplain #resume resume} from
   * @throws IllegalStateException before the first window
   */
  public State state() {
    if (pending != null) {
      return pending;
    }
    if (vector == null) {
      throw new IllegalStateException("a trajectory has nothing to carry before its first window");
    }
    return State.of(
        windows, steps, vector.savedLogNorm(), annihilated, vector.position(), vector.velocity());
  }

  /** Makes the vector one of this frame and returns the log of its norm there. */
  private double begin(Frame from) {
    if (vector == null && pending == null) {
      frame = from;
      startAnew();
    } else if (vector == null) {
      frame = from;
      vector = new TangentVector(pending.position(), pending.velocity(), pending.logNorm());
      pending = null;
      enter(from);
    } else if (!frame.equals(from)) {
      enter(from);
    }
    return vector.logNorm();
  }

  private void enter(Frame next) {
    frame = next;
    if (!vector.enter(next)) {
      startAnew();
    }
  }

  /** A random direction in the span of the gradients of the frame, of norm 1. */
  private void startAnew() {
    annihilatedNow |= vector != null;
    RandomStream start = random.split(START).split(steps);
    double[] coefficients = new double[frame.gram().size()];
    for (int i = 0; i < coefficients.length; i++) {
      coefficients[i] = Math.scalb(start.nextGaussian(), -frame.gram().exponent());
    }
    vector = new TangentVector(span(frame, coefficients), null, 0);
    if (!vector.enter(frame)) {
      throw new IllegalArgumentException("a trajectory needs a nonzero Gram matrix, got zero");
    }
    vector.setLogNorm(0);
  }

  /** μ Aᵀ w. */
  private static double[] span(Frame frame, double[] coefficients) {
    return Weights.times(frame.map(), frame.map().gradient(coefficients));
  }

  /** Takes the steps {@code from} … {@code to} − 1 of a window; returns how many were drawn. */
  private long take(LongFunction<int[]> drawn, long from, long to) {
    long known = 0;
    for (long s = from; s < to; s++) {
      int[] taken = drawn.apply(s);
      known += taken == null ? 0 : 1;
      int[] batch =
          taken == null ? draws.next(steps + s, frame.step(), frame.gram().examples()) : taken;
      vector.apply(batch, batch.length);
      if (vector.logNorm() == Double.NEGATIVE_INFINITY) {
        startAnew();
      }
    }
    return known;
  }
}
