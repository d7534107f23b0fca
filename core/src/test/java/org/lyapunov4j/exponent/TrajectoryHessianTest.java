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

  /** With A times {@code unit}, and hence G and the Hessian times its square. */
  private TrajectoryExponent.Frame frame(
      double t, SgdStep step, double[] weights, double share, double unit) {
    double[][] a = jacobian(t);
    for (double[] row : a) {
      RowSweep.scale(row, unit);
    }
    TrajectoryExponent.Frame plain = MovingJacobian.frame(a, 1, step, weights);
    BatchHessian hessian =
        new BatchHessian() {
          @Override
          public double[] times(int[] examples, double[] direction) {
            return TrajectoryHessianTest.this.times(a, examples, direction, share, unit * unit);
          }

          @Override
          public double relativeError() {
            return t * 1e-9;
          }
        };
    return new TrajectoryExponent.Frame(plain.gram(), step, plain.map(), hessian);
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
    TrajectoryExponent full = new TrajectoryExponent(5);
    TrajectoryExponent part = new TrajectoryExponent(5);
    for (int t = 0; t < 300; t += 30) {
      int first = t;
      TrajectoryExponent.Frame from = frame(t, step, weights(), 0, 1);
      TrajectoryExponent.Frame to = frame(t + 30, step, weights(), 0, 1);
      TrajectoryExponent.Window window = full.advance(from, to, 30, s -> drawn[first + (int) s]);
      TrajectoryExponent.Window other =
          part.advance(plain(from), plain(to), 30, s -> drawn[first + (int) s]);
      assertThat(window.growth()).isCloseTo(other.growth(), within(1e-9));
      assertThat(window.curvature()).isEqualTo(TrajectoryExponent.Curvature.HESSIAN);
      assertThat(window.curvatureError()).isEqualTo((t + 30) * 1e-9);
      assertThat(other.curvature()).isEqualTo(TrajectoryExponent.Curvature.GAUSS_NEWTON);
      assertThat(other.curvatureError()).isZero();
    }
  }

  private static TrajectoryExponent.Frame plain(TrajectoryExponent.Frame frame) {
    return new TrajectoryExponent.Frame(frame.gram(), frame.step(), frame.map());
  }

  /** Against plain loops. */
  @Test
  void theHessianIsThatOfEachMiniBatch() {
    SgdStep step = SgdStep.of(0.02, BATCH);
    int steps = 200;
    int[][] drawn = batches(steps);
    double[] weights = weights();
    TrajectoryExponent trajectory = new TrajectoryExponent(5);
    TrajectoryExponent.Window last = null;
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
      int[] batch = drawn[t];
      last =
          trajectory.advance(
              frame(t, step, weights, 1, 1), frame(t + 1, step, weights, 1, 1), 1, s -> batch);
      double[] force = times(jacobian(t), batch, v, 1, 1);
      for (int p = 0; p < v.length; p++) {
        v[p] -= 0.02 / BATCH * weights[p] * force[p];
      }
    }
    double truth = Math.log(seen(jacobian(steps), v) / before);
    assertThat(last.cumulativeGrowth()).isCloseTo(truth, within(1e-9));
    assertThat(Math.abs(truth)).isGreaterThan(1);
  }

  private static double seen(double[][] a, double[] v) {
    double squares = 0;
    for (double[] row : a) {
      squares += Math.pow(ResidualCocycle.dot(row, v), 2);
    }
    return Math.sqrt(squares);
  }

  @ParameterizedTest
  @MethodSource("momenta")
  void resumingChangesNoBit(Momentum momentum) {
    SgdStep step = step(momentum);
    TrajectoryExponent whole = new TrajectoryExponent(7);
    TrajectoryExponent.Frame[] frames = {
      frame(0, step, weights(), 1, 1),
      frame(20, step, weights(), 1, 1),
      frame(40, step, weights(), 1, 1)
    };
    whole.advance(frames[0], frames[1], 20);
    TrajectoryExponent resumed = TrajectoryExponent.resume(7, whole.state());
    assertThat(resumed.advance(frames[1], frames[2], 20))
        .isEqualTo(whole.advance(frames[1], frames[2], 20));
    assertThat(resumed.state()).isEqualTo(whole.state());
  }

  /**
   * G·2ᵏ and η·2⁻ᵏ are the same training; at the ends squares of the entries over- or underflow.
   */
  @ParameterizedTest
  @ValueSource(ints = {2, -46, 800, -800})
  void unitsChangeNoBit(int exponent) {
    SgdStep step = SgdStep.of(0.02, BATCH);
    for (double share : new double[] {-1, 1}) {
      double unit = Math.scalb(1.0, exponent / 2);
      TrajectoryExponent one = new TrajectoryExponent(3);
      TrajectoryExponent other = new TrajectoryExponent(3);
      for (int t = 0; t < 400; t += 50) {
        TrajectoryExponent.Frame from = frame(t, step, null, share, 1);
        TrajectoryExponent.Frame to = frame(t + 50, step, null, share, 1);
        SgdStep scaled = step.scaled(-exponent);
        TrajectoryExponent.Frame scaledFrom = frame(t, scaled, null, share, unit);
        TrajectoryExponent.Frame scaledTo = frame(t + 50, scaled, null, share, unit);
        assertThat(
                share < 0
                    ? other.advance(plain(scaledFrom), plain(scaledTo), 50)
                    : other.advance(scaledFrom, scaledTo, 50))
            .isEqualTo(
                share < 0 ? one.advance(plain(from), plain(to), 50) : one.advance(from, to, 50));
      }
    }
  }

  /** Contraction far below the rounding of the products cuts off what no output sees. */
  @Test
  void aLongContractionGoesOn() {
    SgdStep step = SgdStep.of(0.05, EXAMPLES);
    TrajectoryExponent trajectory = new TrajectoryExponent(5);
    TrajectoryExponent.Frame frame = frame(0, step, null, 0, 1);
    TrajectoryExponent.Window last = null;
    for (int t = 0; t < 4000; t += 100) {
      last = trajectory.advance(frame, frame, 100);
    }
    TrajectoryExponent other = new TrajectoryExponent(5);
    TrajectoryExponent.Window truth = other.advance(plain(frame), plain(frame), 4000);
    assertThat(truth.cumulativeGrowth()).isLessThan(-30);
    assertThat(last.cumulativeGrowth()).isCloseTo(truth.cumulativeGrowth(), within(1e-4));
  }

  @Test
  void bothEndsOfAWindowHaveTheSameCurvature() {
    TrajectoryExponent.Frame frame = frame(0, SgdStep.of(0.01, 2), null, 1, 1);
    assertThatThrownBy(() -> new TrajectoryExponent(1).advance(frame, plain(frame), 3))
        .hasMessageContaining("same curvature, got HESSIAN and GAUSS_NEWTON");
  }
}
