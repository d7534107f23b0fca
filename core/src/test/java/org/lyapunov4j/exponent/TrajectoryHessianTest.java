// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.exponent;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.lyapunov4j.TestGrams;
import org.lyapunov4j.gram.Vectors;
import org.lyapunov4j.step.Momentum;
import org.lyapunov4j.step.RandomStream;
import org.lyapunov4j.step.SgdStep;

/** The tangent vector that steps with full Hessians, and the units of both kinds. */
class TrajectoryHessianTest {
  private static final int EXAMPLES = 12;
  private static final int PARAMETERS = 20;
  private static final int BATCH = 3;

  /** Of each example, what its Hessian has beside the Gauss–Newton matrix. */
  private final double[][][] extra = new double[EXAMPLES][][];

  TrajectoryHessianTest() {
    for (int i = 0; i < EXAMPLES; i++) {
      double[][] x = TestGrams.gaussian(PARAMETERS, PARAMETERS, 100 + i);
      extra[i] = new double[PARAMETERS][PARAMETERS];
      for (int p = 0; p < PARAMETERS; p++) {
        for (int q = 0; q < PARAMETERS; q++) {
          extra[i][p][q] = 0.2 * (x[p][q] + x[q][p]);
        }
      }
    }
  }

  private static double[][] jacobian(double t) {
    double[][] a = TestGrams.gaussian(EXAMPLES, PARAMETERS, 5);
    double[][] b = TestGrams.gaussian(EXAMPLES, PARAMETERS, 6);
    for (int i = 0; i < EXAMPLES; i++) {
      for (int p = 0; p < PARAMETERS; p++) {
        a[i][p] += 0.3 * Math.sin(0.01 * t) * b[i][p];
      }
    }
    return a;
  }

  private static double[] weights() {
    double[] weights = new double[PARAMETERS];
    for (int p = 0; p < PARAMETERS; p++) {
      weights[p] = 1 + 0.5 * Math.sin(p);
    }
    return weights;
  }

  private double[] times(double[][] a, int[] examples, double[] v, double share, double unit) {
    double[] sum = new double[v.length];
    for (int i : examples) {
      double along = 0;
      for (int p = 0; p < v.length; p++) {
        along += a[i][p] * v[p];
      }
      for (int p = 0; p < v.length; p++) {
        sum[p] += along * a[i][p];
        for (int q = 0; share > 0 && q < v.length; q++) {
          sum[p] += share * unit * extra[i][p][q] * v[q];
        }
      }
    }
    return sum;
  }

  /** With A times {@code unit}, and hence G times its square. */
  private static TrajectoryExponent.Frame frame(
      double t, SgdStep step, double[] weights, double unit) {
    return MovingJacobian.frame(scaled(t, unit), 1, step, weights);
  }

  private static double[][] scaled(double t, double unit) {
    double[][] a = jacobian(t);
    for (double[] row : a) {
      Vectors.scale(row, unit);
    }
    return a;
  }

  /** The Gauss–Newton matrix, and {@code share} of the rest. */
  private BatchHessian hessian(double t, double share, double unit) {
    double[][] a = scaled(t, unit);
    return new BatchHessian() {
      @Override
      public double[] times(int[] examples, double[] direction) {
        return TrajectoryHessianTest.this.times(a, examples, direction, share, unit * unit);
      }

      @Override
      public double relativeError() {
        return t * 1e-9;
      }
    };
  }

  private static HessianTrajectory trajectory(long seed) {
    return new HessianTrajectory(seed, EXAMPLES, PARAMETERS);
  }

  private static HessianTrajectory.Mark mark(
      HessianTrajectory trajectory, TrajectoryExponent.Frame frame) {
    return trajectory.mark(frame.step(), frame.map(), frame::gram).orElseThrow();
  }

  private static int[][] batches(int steps) {
    Random random = new Random(8);
    int[][] drawn = new int[steps][];
    for (int s = 0; s < steps; s++) {
      drawn[s] = random.ints(0, EXAMPLES).distinct().limit(BATCH).toArray();
    }
    return drawn;
  }

  static Stream<Momentum> momenta() {
    return Stream.of(
        Momentum.NONE,
        new Momentum.HeavyBall(0.8),
        new Momentum.Nesterov(0.8),
        new Momentum.MovingAverage(0.8),
        new Momentum.NesterovAverage(0.8));
  }

  private static SgdStep step(Momentum momentum) {
    return SgdStep.of(0.01, BATCH).withMomentum(momentum).withWeightDecay(0.1);
  }

  /** Two ways to the same number, where the Hessian is the Gauss–Newton matrix. */
  @ParameterizedTest
  @MethodSource("momenta")
  void withTheGaussNewtonMatrixBothWaysAgree(Momentum momentum) {
    SgdStep step = step(momentum).withL2(0.2);
    int[][] drawn = batches(300);
    HessianTrajectory full = trajectory(5);
    TrajectoryExponent part = new TrajectoryExponent(5);
    HessianTrajectory.Mark before = mark(full, frame(0, step, weights(), 1));
    for (int t = 0; t < 300; t++) {
      int[] batch = t % 3 == 0 ? null : drawn[t];
      full.step(step, weights(), hessian(0, 0, 1), batch);
      TrajectoryExponent.Frame frame = frame(0, step, weights(), 1);
      TrajectoryExponent.Window other = part.advance(frame, frame, 1, s -> batch);
      HessianTrajectory.Mark now = mark(full, frame);
      TrajectoryExponent.Window window = now.since(before, t);
      assertThat(window.growth()).isCloseTo(other.growth(), within(1e-8));
      assertThat(window.cumulativeGrowth()).isCloseTo(other.cumulativeGrowth(), within(1e-9));
      assertThat(window.drawn()).isEqualTo(other.drawn());
      assertThat(window.cumulativeSteps()).isEqualTo(t + 1);
      assertThat(window.curvature()).isEqualTo(TrajectoryExponent.Curvature.HESSIAN);
      before = now;
    }
  }

  /**
   * Against plain loops; measuring at each step and once at the end is the same to the last bit.
   */
  @ParameterizedTest
  @ValueSource(ints = {1, 7, 200})
  void theHessianIsThatOfEachMiniBatchWhateverTheInterval(int interval) {
    SgdStep step = SgdStep.of(0.02, BATCH);
    int steps = 200;
    int[][] drawn = batches(steps);
    double[] weights = weights();
    HessianTrajectory trajectory = trajectory(5);
    HessianTrajectory once = trajectory(5);
    HessianTrajectory.Mark first = mark(trajectory, frame(0, step, weights, 1));
    mark(once, frame(0, step, weights, 1));
    RandomStream random = new RandomStream(5).split(1).split(0);
    double[] v = new double[PARAMETERS];
    for (double[] row : jacobian(0)) {
      double w = random.nextGaussian();
      for (int p = 0; p < v.length; p++) {
        v[p] += w * row[p] * weights[p];
      }
    }
    double before = seen(jacobian(0), v);
    for (int t = 0; t < steps; t++) {
      trajectory.step(step, weights, hessian(t, 1, 1), drawn[t]);
      once.step(step, weights, hessian(t, 1, 1), drawn[t]);
      double[] force = times(jacobian(t), drawn[t], v, 1, 1);
      for (int p = 0; p < v.length; p++) {
        v[p] -= 0.02 / BATCH * weights[p] * force[p];
      }
      if ((t + 1) % interval == 0) {
        mark(trajectory, frame(t + 1, step, weights, 1));
      }
    }
    double truth = Math.log(seen(jacobian(steps), v) / before);
    HessianTrajectory.Mark last = mark(trajectory, frame(steps, step, weights, 1));
    assertThat(last).isEqualTo(mark(once, frame(steps, step, weights, 1)));
    TrajectoryExponent.Window window = last.since(first, 0);
    assertThat(window.cumulativeGrowth()).isCloseTo(truth, within(1e-9));
    assertThat(window.growth()).isEqualTo(window.cumulativeGrowth());
    assertThat(window.curvatureError()).isEqualTo((steps - 1) * 1e-9);
    assertThat(Math.abs(truth)).isGreaterThan(1);
  }

  private static double seen(double[][] a, double[] v) {
    double squares = 0;
    for (double[] row : a) {
      squares += Math.pow(Vectors.dot(row, v), 2);
    }
    return Math.sqrt(squares);
  }

  /** In the middle of a window and of an epoch. */
  @ParameterizedTest
  @MethodSource("momenta")
  void resumingChangesNoBit(Momentum momentum) {
    SgdStep step = step(momentum);
    HessianTrajectory whole = trajectory(7);
    mark(whole, frame(0, step, weights(), 1));
    for (int t = 0; t < 21; t++) {
      whole.step(step, weights(), hessian(t, 1, 1), null);
    }
    HessianTrajectory resumed = HessianTrajectory.resume(7, EXAMPLES, whole.state(1).orElseThrow());
    for (int t = 21; t < 40; t++) {
      whole.step(step, weights(), hessian(t, 1, 1), null);
      resumed.step(step, weights(), hessian(t, 1, 1), null);
    }
    TrajectoryExponent.Frame last = frame(40, step, weights(), 1);
    assertThat(mark(resumed, last)).isEqualTo(mark(whole, last));
    assertThat(resumed.state(1)).isEqualTo(whole.state(1));
  }

  /**
   * G·2ᵏ and η·2⁻ᵏ are the same training; at the ends squares of the entries over- or underflow.
   */
  @ParameterizedTest
  @ValueSource(ints = {2, -46, 800, -800})
  void unitsChangeRoundingOnly(int exponent) {
    SgdStep step = SgdStep.of(0.02, BATCH);
    SgdStep scaled = step.scaled(-exponent);
    double unit = Math.scalb(1.0, exponent / 2);
    TrajectoryExponent one = new TrajectoryExponent(3);
    TrajectoryExponent other = new TrajectoryExponent(3);
    HessianTrajectory full = trajectory(3);
    HessianTrajectory fullOther = trajectory(3);
    mark(full, frame(0, step, null, 1));
    mark(fullOther, frame(0, scaled, null, unit));
    for (int t = 0; t < 400; t += 50) {
      assertThat(other.advance(frame(t, scaled, null, unit), frame(t + 50, scaled, null, unit), 50))
          .isEqualTo(one.advance(frame(t, step, null, 1), frame(t + 50, step, null, 1), 50));
      for (int s = 0; s < 50; s++) {
        full.step(step, null, hessian(t + s, 1, 1), null);
        fullOther.step(scaled, null, hessian(t + s, 1, unit), null);
      }
      // sums of logarithms of powers of two round
      assertThat(mark(fullOther, frame(t + 50, scaled, null, unit)).logNorm())
          .isCloseTo(mark(full, frame(t + 50, step, null, 1)).logNorm(), within(1e-12));
    }
  }

  /** Far below the rounding of the first vector. */
  @Test
  void aLongContractionGoesOn() {
    SgdStep step = SgdStep.of(0.05, EXAMPLES);
    HessianTrajectory trajectory = trajectory(5);
    TrajectoryExponent.Frame frame = frame(0, step, null, 1);
    HessianTrajectory.Mark last = null;
    for (int t = 0; t <= 4000; t += 100) {
      last = mark(trajectory, frame);
      for (int s = 0; s < 100; s++) {
        trajectory.step(step, null, hessian(0, 0, 1), null);
      }
    }
    TrajectoryExponent.Window truth = new TrajectoryExponent(5).advance(frame, frame, 4000);
    assertThat(truth.cumulativeGrowth()).isLessThan(-30);
    assertThat(last.logNorm()).isCloseTo(truth.cumulativeGrowth(), within(1e-4));
  }

  /** With η h = 1 on every direction nothing is left; another vector starts. */
  @Test
  void anAnnihilatedVectorIsReplaced() {
    SgdStep step = SgdStep.of(1, 1);
    TrajectoryExponent.Frame frame = MovingJacobian.frame(new double[][] {{1}}, 1, step, null);
    BatchHessian one =
        new BatchHessian() {
          @Override
          public double[] times(int[] examples, double[] direction) {
            return direction.clone();
          }

          @Override
          public double relativeError() {
            return 0;
          }
        };
    HessianTrajectory trajectory = new HessianTrajectory(1, 1, 1);
    HessianTrajectory.Mark start = mark(trajectory, frame);
    trajectory.step(step, null, one, null);
    trajectory.step(step, null, one, null);
    HessianTrajectory.Mark after = mark(trajectory, frame);
    assertThat(after.since(start, 0).growth()).isEqualTo(Double.NEGATIVE_INFINITY);
    trajectory.step(step.withLearningRate(0.5), null, one, null);
    TrajectoryExponent.Window next = mark(trajectory, frame).since(after, 1);
    assertThat(next.growth()).isCloseTo(Math.log(0.5), within(1e-12));
    assertThat(next.cumulativeGrowth()).isEqualTo(Double.NEGATIVE_INFINITY);
  }

  @Test
  void nonsenseIsRefused() {
    SgdStep step = SgdStep.of(0.01, 2);
    HessianTrajectory trajectory = trajectory(1);
    BatchHessian hessian = hessian(0, 1, 1);
    assertThatThrownBy(() -> trajectory.step(step, null, hessian, null))
        .hasMessageContaining("starts at a checkpoint");
    TrajectoryExponent.Frame frame = frame(0, step, null, 1);
    HessianTrajectory.Mark mark = mark(trajectory, frame);
    assertThatThrownBy(() -> mark.since(mark, 0)).hasMessageContaining("at least 1 step, got 0");
    assertThat(trajectory(1).mark(step, frame(0, step, null, 0).map(), frame::gram)).isEmpty();
  }
}
