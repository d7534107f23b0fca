// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.exponent;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import java.util.Arrays;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.lyapunov4j.TestGrams;
import org.lyapunov4j.gram.GramMatrix;
import org.lyapunov4j.step.MiniBatchSampling;
import org.lyapunov4j.step.Momentum;
import org.lyapunov4j.step.RandomStream;
import org.lyapunov4j.step.SgdStep;

class TrajectoryExponentTest {
  private static final int BATCH = 4;
  private static final MovingJacobian TURNING = new MovingJacobian(20, 1, 50, 1, 0.5, 0.004, 3);

  /** The batches of a run, by a generator that is not this library's. */
  private static int[][] batches(int examples, int steps, long seed) {
    Random random = new Random(seed);
    int[][] drawn = new int[steps][];
    for (int s = 0; s < steps; s++) {
      drawn[s] = random.ints(0, examples).distinct().limit(BATCH).toArray();
    }
    return drawn;
  }

  private static TrajectoryExponent.Window follow(
      MovingJacobian jacobian, SgdStep step, int steps, int frequency, int[][] drawn) {
    TrajectoryExponent trajectory = new TrajectoryExponent(5);
    TrajectoryExponent.Window window = null;
    TrajectoryExponent.Frame from = jacobian.frame(0, step);
    for (int t = 0; t < steps; t += frequency) {
      int first = t;
      TrajectoryExponent.Frame to = jacobian.frame(t + frequency, step);
      window =
          trajectory.advance(
              from, to, frequency, s -> drawn == null ? null : drawn[first + (int) s]);
      from = to;
    }
    return window;
  }

  /** A tangent carried through the parameters with the A of every step, momentum included. */
  private static double oracle(MovingJacobian jacobian, SgdStep step, int[][] drawn) {
    double[][] a = jacobian.at(0);
    double[] v = start(a);
    double[] velocity = new double[v.length];
    double beta = step.momentum().coefficient();
    boolean nesterov = step.momentum() instanceof Momentum.Nesterov;
    double look = nesterov ? 1 + beta : 1;
    double before = norm(a, v, velocity, look, beta);
    double growth = 0;
    for (int t = 0; t < drawn.length; t++) {
      a = jacobian.at(t);
      double[] next = new double[v.length];
      for (int p = 0; p < v.length; p++) {
        next[p] = beta * velocity[p];
      }
      for (int i : drawn[t]) {
        double r = dot(a[i], v);
        for (int p = 0; p < v.length; p++) {
          next[p] -= step.learningRate() / drawn[t].length * r * a[i][p];
        }
      }
      for (int p = 0; p < v.length; p++) {
        v[p] += nesterov ? -beta * velocity[p] + (1 + beta) * next[p] : next[p];
        velocity[p] = next[p];
      }
      double norm = norm(jacobian.at(t + 1), v, velocity, look, beta);
      growth += Math.log(norm);
      for (int p = 0; p < v.length; p++) {
        v[p] /= norm;
        velocity[p] /= norm;
      }
    }
    return (growth - Math.log(before)) / drawn.length;
  }

  private static double norm(
      double[][] a, double[] v, double[] velocity, double look, double beta) {
    double squares = 0;
    for (double[] row : a) {
      squares += Math.pow(dot(row, v), 2);
      squares += beta == 0 ? 0 : Math.pow(look * dot(row, velocity), 2);
    }
    return Math.sqrt(squares);
  }

  private static double dot(double[] x, double[] y) {
    double sum = 0;
    for (int i = 0; i < x.length; i++) {
      sum += x[i] * y[i];
    }
    return sum;
  }

  /** The library's start, so that the same vector is followed. */
  private static double[] start(double[][] a) {
    RandomStream random = new RandomStream(5).split(1).split(0);
    double[] v = new double[a[0].length];
    for (double[] row : a) {
      double w = random.nextGaussian();
      for (int p = 0; p < v.length; p++) {
        v[p] += w * row[p];
      }
    }
    return v;
  }

  static Stream<Momentum> momenta() {
    return Stream.of(Momentum.NONE, new Momentum.HeavyBall(0.9), new Momentum.Nesterov(0.9));
  }

  /** The fault this was written for: the interval of the checkpoints decided the exponent. */
  @ParameterizedTest
  @MethodSource("momenta")
  void theExponentIsThatOfOneTangentVectorWhateverTheCheckpoints(Momentum momentum) {
    double rate = momentum == Momentum.NONE ? 0.5 : 0.05;
    SgdStep step = SgdStep.of(rate, BATCH).withMomentum(momentum);
    int[][] drawn = batches(20, 1200, 7);
    double truth = oracle(TURNING, step, drawn);
    assertThat(follow(TURNING, step, 1200, 1, drawn).cumulativeExponent())
        .isCloseTo(truth, within(1e-9));
    assertThat(follow(TURNING, step, 1200, 10, drawn).cumulativeExponent())
        .isCloseTo(truth, within(0.02 * Math.abs(truth)));
    assertThat(follow(TURNING, step, 1200, 100, drawn).cumulativeExponent())
        .isCloseTo(truth, within(0.1 * Math.abs(truth)));
  }

  /** Rank 4 of 40 rows: the part in ker G must not take over, however long the windows are. */
  @ParameterizedTest
  @ValueSource(ints = {1, 50, 1000})
  void aSingularGramMatrixContractsForEver(int window) {
    double[][] a = TestGrams.gaussian(40, 4, 8);
    SgdStep step = SgdStep.of(0.08, BATCH);
    int steps = 4000;
    int[][] drawn = batches(40, steps, 2);
    double truth = logNormOfProduct(a, step, drawn) / steps;
    assertThat(truth * steps).isLessThan(-150);
    TrajectoryExponent.Frame frame = MovingJacobian.frame(a, 1, step, null);
    TrajectoryExponent trajectory = new TrajectoryExponent(5);
    TrajectoryExponent.Window last = null;
    for (int t = 0; t < steps; t += window) {
      int first = t;
      last = trajectory.advance(frame, frame, window, s -> drawn[first + (int) s]);
    }
    assertThat(last.cumulativeExponent()).isCloseTo(truth, within(1e-6));
  }

  /** More parameters than outputs: what no output sees grows as rounding does, relative to v. */
  @ParameterizedTest
  @ValueSource(ints = {1, 1000})
  void whatNoOutputSeesDoesNotStopTheContraction(int window) {
    double[][] a = TestGrams.gaussian(4, 30, 8);
    SgdStep step = SgdStep.of(0.02, 2);
    TrajectoryExponent.Frame frame = MovingJacobian.frame(a, 1, step, null);
    TrajectoryExponent trajectory = new TrajectoryExponent(5);
    TrajectoryExponent.Window last = null;
    for (int t = 0; t < 3000; t += window) {
      last = trajectory.advance(frame, frame, window);
    }
    assertThat(last.cumulativeGrowth()).isLessThan(-150);
    Estimate frozen =
        SpectrumEstimator.builder()
            .exponents(1)
            .epochs(4096)
            .build()
            .estimate(frame.gram(), step)
            .exponents()
            .get(0);
    assertThat(last.cumulativeExponent()).isCloseTo(frozen.value(), within(0.05 * -frozen.value()));
  }

  private static double logNormOfProduct(double[][] a, SgdStep step, int[][] drawn) {
    double[] v = start(a);
    double before = norm(a, v, v, 0, 0);
    double growth = 0;
    for (int[] batch : drawn) {
      double[] gradient = new double[v.length];
      for (int i : batch) {
        double r = dot(a[i], v);
        for (int p = 0; p < v.length; p++) {
          gradient[p] += r * a[i][p] / batch.length;
        }
      }
      double norm = 0;
      for (int p = 0; p < v.length; p++) {
        v[p] -= step.learningRate() * gradient[p];
        norm += v[p] * v[p];
      }
      for (int p = 0; p < v.length; p++) {
        v[p] /= Math.sqrt(norm);
      }
      growth += Math.log(norm) / 2;
    }
    return growth + Math.log(norm(a, v, v, 0, 0)) - Math.log(before);
  }

  /** One example of six grows, five shrink: only who comes round to it sees the growth. */
  @ParameterizedTest
  @ValueSource(ints = {1, 2, 4, 6, 12})
  void windowsGoOnWithinTheEpoch(int window) {
    double[][] a = new double[6][1];
    for (int i = 0; i < 6; i++) {
      a[i][0] = i == 5 ? 2 : 0.1;
    }
    SgdStep step = SgdStep.of(1, 1).withSampling(MiniBatchSampling.ORDERED_EPOCHS);
    double perEpoch = 5 * Math.log(0.99) + Math.log(3);
    assertThat(cumulative(a, step, window, 36)).isCloseTo(perEpoch / 6, within(1e-12));
    SgdStep shuffled = step.withSampling(MiniBatchSampling.SHUFFLED_EPOCHS);
    assertThat(cumulative(a, shuffled, window, 36)).isCloseTo(perEpoch / 6, within(1e-12));
  }

  private static double cumulative(double[][] a, SgdStep step, int window, int steps) {
    TrajectoryExponent.Frame frame = MovingJacobian.frame(a, 1, step, null);
    TrajectoryExponent trajectory = new TrajectoryExponent(5);
    TrajectoryExponent.Window last = null;
    for (int t = 0; t < steps; t += window) {
      last = trajectory.advance(frame, frame, window);
    }
    return last.cumulativeExponent();
  }

  @Test
  void windowsDoNotChangeTheDraws() {
    SgdStep step = SgdStep.of(0.3, 3).withSampling(MiniBatchSampling.SHUFFLED_EPOCHS);
    double[][] a = TestGrams.gaussian(10, 6, 4);
    double one = cumulative(a, step, 1, 120);
    for (int window : new int[] {2, 5, 24, 120}) {
      assertThat(cumulative(a, step, window, 120)).isCloseTo(one, within(1e-10));
    }
  }

  /** With a preconditioner that moves, a moving average of gradients keeps what came before it. */
  @Test
  void aMovingPreconditionerActsOnTheWholeAverage() {
    double beta = 0.9;
    double rate = 0.05;
    double[][] a = TestGrams.gaussian(6, 9, 8);
    int steps = 200;
    SgdStep step = SgdStep.of(rate, 6).withMomentum(new Momentum.MovingAverage(beta));
    TrajectoryExponent trajectory = new TrajectoryExponent(5);
    TrajectoryExponent.Window last = null;
    double[] v = start(a);
    double[] average = new double[v.length];
    for (int p = 0; p < v.length; p++) {
      v[p] *= weight(p, 0);
    }
    double before = norm(a, v, average, 0, 0);
    for (int t = 0; t < steps; t++) {
      TrajectoryExponent.Frame from = MovingJacobian.frame(a, 1, step, weights(t, v.length));
      TrajectoryExponent.Frame to = MovingJacobian.frame(a, 1, step, weights(t + 1, v.length));
      last = trajectory.advance(from, to, 1);
      double[] gradient = new double[v.length];
      for (double[] row : a) {
        double r = dot(row, v) / a.length;
        for (int p = 0; p < v.length; p++) {
          gradient[p] += r * row[p];
        }
      }
      for (int p = 0; p < v.length; p++) {
        average[p] = beta * average[p] + (1 - beta) * gradient[p];
        v[p] -= rate * weight(p, t) * average[p];
      }
    }
    for (int p = 0; p < v.length; p++) {
      average[p] *= weight(p, steps);
    }
    double truth = Math.log(norm(a, v, average, rate, beta) / before);
    assertThat(last.cumulativeGrowth()).isCloseTo(truth, within(1e-8));
  }

  private static double weight(int p, int t) {
    return 1 + 0.8 * Math.sin(p + 0.05 * t);
  }

  private static double[] weights(int t, int count) {
    double[] weights = new double[count];
    Arrays.setAll(weights, p -> weight(p, t));
    return weights;
  }

  @Test
  void aLongTrajectoryApproachesTheFrozenExponent() {
    double[][] a = TestGrams.gaussian(24, 30, 5);
    SgdStep step = SgdStep.of(0.07, 3);
    TrajectoryExponent.Frame frame = MovingJacobian.frame(a, 2, step, null);
    Estimate frozen =
        SpectrumEstimator.builder()
            .exponents(1)
            .epochs(8192)
            .build()
            .estimate(frame.gram(), step)
            .exponents()
            .get(0);
    double transientOfStart = 8.0 / 100_000; // a few nats until faster modes are gone
    double error = 8 * frozen.standardError() + transientOfStart;
    assertThat(error).isLessThan(0.3 * Math.abs(frozen.value()));
    assertThat(cumulative(a, step, 2, 5000, 100_000)).isCloseTo(frozen.value(), within(error));
  }

  private static double cumulative(double[][] a, SgdStep step, int outputs, int window, int steps) {
    TrajectoryExponent.Frame frame = MovingJacobian.frame(a, outputs, step, null);
    TrajectoryExponent trajectory = new TrajectoryExponent(6);
    TrajectoryExponent.Window last = null;
    for (int t = 0; t < steps; t += window) {
      last = trajectory.advance(frame, frame, window);
    }
    return last.cumulativeExponent();
  }

  @Test
  void windowsAddUpAndSayWhatWasDrawn() {
    TrajectoryExponent trajectory = new TrajectoryExponent(1);
    TrajectoryExponent.Frame[] frames = {
      TURNING.frame(0, SgdStep.of(0.3, 3)), TURNING.frame(100, SgdStep.of(0.5, 4))
    };
    TrajectoryExponent.Window a = trajectory.advance(frames[0], frames[1], 100);
    TrajectoryExponent.Window b =
        trajectory.advance(frames[1], frames[1], 50, s -> s < 20 ? new int[] {1, 2} : null);
    assertThat(a.drawn()).isZero();
    assertThat(b.drawn()).isEqualTo(20);
    assertThat(b.cumulativeSteps()).isEqualTo(150);
    assertThat(b.cumulativeGrowth()).isCloseTo(a.growth() + b.growth(), within(1e-12));
    assertThat(b.exponent()).isEqualTo(b.growth() / 50);
  }

  @ParameterizedTest
  @MethodSource("momenta")
  void resumingChangesNoBit(Momentum momentum) {
    SgdStep step =
        SgdStep.of(0.05, 3)
            .withMomentum(momentum)
            .withSampling(MiniBatchSampling.SHUFFLED_EPOCHS)
            .withWeightDecay(0.01);
    TrajectoryExponent whole = new TrajectoryExponent(7);
    TrajectoryExponent.Frame[] frames = {
      TURNING.frame(0, step), TURNING.frame(50, step), TURNING.frame(100, step)
    };
    whole.advance(frames[0], frames[1], 50);
    TrajectoryExponent.State state = whole.state();
    TrajectoryExponent resumed = TrajectoryExponent.resume(7, state);
    assertThat(resumed.advance(frames[1], frames[2], 50))
        .isEqualTo(whole.advance(frames[1], frames[2], 50));
    assertThat(resumed.state()).isEqualTo(whole.state());
  }

  @Test
  void annihilationIsMinusInfinityAndAnotherVectorStarts() {
    double[][] one = {{1}};
    TrajectoryExponent trajectory = new TrajectoryExponent(1);
    TrajectoryExponent.Frame fatal = MovingJacobian.frame(one, 1, SgdStep.of(1, 1), null);
    TrajectoryExponent.Frame half = MovingJacobian.frame(one, 1, SgdStep.of(0.5, 1), null);
    assertThat(trajectory.advance(fatal, fatal, 3).growth()).isEqualTo(Double.NEGATIVE_INFINITY);
    TrajectoryExponent.Window next = trajectory.advance(half, half, 1);
    assertThat(next.growth()).isCloseTo(Math.log(0.5), within(1e-12));
    assertThat(next.cumulativeGrowth()).isEqualTo(Double.NEGATIVE_INFINITY);
    assertThat(trajectory.state().annihilated()).isTrue();
  }

  @Test
  void nonsenseIsRefused() {
    TrajectoryExponent trajectory = new TrajectoryExponent(1);
    TrajectoryExponent.Frame frame = TURNING.frame(0, SgdStep.of(0.1, 1));
    assertThatThrownBy(() -> trajectory.advance(frame, frame, 0)).hasMessageContaining("got 0");
    assertThatThrownBy(trajectory::state).isInstanceOf(IllegalStateException.class);
    GramMatrix other = TestGrams.wishart(20, 2, 50, 1);
    TrajectoryExponent.Frame wrong =
        new TrajectoryExponent.Frame(other, SgdStep.of(1, 1), frame.map());
    assertThatThrownBy(() -> trajectory.advance(wrong, wrong, 1)).hasMessageContaining("40 rows");
    TrajectoryExponent.Frame zero =
        MovingJacobian.frame(new double[2][3], 1, SgdStep.of(1, 1), null);
    assertThatThrownBy(() -> new TrajectoryExponent(1).advance(zero, zero, 1))
        .hasMessageContaining("nonzero Gram matrix");
    assertThatThrownBy(
            () -> TrajectoryExponent.State.of(1, 1, 0, false, new double[] {Double.NaN}, null))
        .hasMessageContaining("finite, got NaN");
  }

  @Test
  void learningRateZeroIsTheIdentity() {
    MovingJacobian still = new MovingJacobian(6, 1, 9, 1, 0, 0, 8);
    TrajectoryExponent.Frame frame = still.frame(0, SgdStep.of(0, 2));
    assertThat(new TrajectoryExponent(1).advance(frame, frame, 10, s -> null).exponent())
        .isCloseTo(0, within(1e-12));
  }
}
