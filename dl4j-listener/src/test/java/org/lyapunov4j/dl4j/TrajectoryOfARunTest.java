// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.dl4j;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CancellationException;
import java.util.stream.Stream;
import org.deeplearning4j.nn.conf.layers.DenseLayer;
import org.deeplearning4j.nn.conf.layers.OutputLayer;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.lyapunov4j.dl4j.AnalysisSettings.SizeComparison;
import org.lyapunov4j.dl4j.checkpoint.Checkpoint;
import org.lyapunov4j.exponent.TrajectoryExponent;
import org.lyapunov4j.stability.Tier;
import org.lyapunov4j.step.RandomStream;
import org.nd4j.linalg.activations.Activation;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.dataset.DataSet;
import org.nd4j.linalg.learning.config.Adam;
import org.nd4j.linalg.learning.config.IUpdater;
import org.nd4j.linalg.learning.config.Nesterovs;
import org.nd4j.linalg.learning.config.Sgd;
import org.nd4j.linalg.lossfunctions.LossFunctions.LossFunction;

/**
 * The exponent along real runs, against a tangent vector that a program of its own carries through
 * the weights of every step: forward, backward and updater are written anew below, in plain Java.
 */
class TrajectoryOfARunTest {
  private static final int EXAMPLES = 32;
  private static final int BATCH = 4;
  private static final int STEPS = 400;
  private static final int[] SIZES = {3, 8, 8, 1};
  private static final long SEED = 7;

  private final DataSet data = data(EXAMPLES);

  private static DataSet data(int examples) {
    DataSet data = Networks.data(5, examples, 3, 1, DataType.DOUBLE);
    for (int i = 0; i < examples; i++) {
      double x = data.getFeatures().getDouble(i, 0);
      double y = data.getFeatures().getDouble(i, 1);
      data.getLabels().putScalar(i, 0, Math.sin(2 * x) * Math.cos(y));
    }
    return data;
  }

  private static MultiLayerNetwork network(IUpdater updater) {
    return Networks.initialise(
        Networks.configuration(updater, DataType.DOUBLE)
            .list()
            .layer(new DenseLayer.Builder().nIn(3).nOut(8).activation(Activation.TANH).build())
            .layer(new DenseLayer.Builder().nIn(8).nOut(8).activation(Activation.TANH).build())
            .layer(
                new OutputLayer.Builder(LossFunction.L2)
                    .nIn(8)
                    .nOut(1)
                    .activation(Activation.IDENTITY)
                    .build())
            .build(),
        31);
  }

  private static int[][] batches(int examples) {
    Random random = new Random(2);
    int[][] batches = new int[STEPS + 1][];
    for (int s = 0; s < batches.length; s++) {
      batches[s] = random.ints(0, examples).distinct().limit(BATCH).toArray();
    }
    return batches;
  }

  private TrajectoryExponent.Window run(
      IUpdater updater, int frequency, DataSet probe, int[][] batches, List<double[]> weights) {
    return run(updater, frequency, probe, batches, weights, new ArrayList<>());
  }

  private TrajectoryExponent.Window run(
      IUpdater updater,
      int frequency,
      DataSet probe,
      int[][] batches,
      List<double[]> weights,
      List<Checkpoint> last) {
    return run(
        updater,
        TrajectoryExponent.Curvature.GAUSS_NEWTON,
        frequency,
        probe,
        batches,
        weights,
        last);
  }

  private TrajectoryExponent.Window run(
      IUpdater updater,
      TrajectoryExponent.Curvature curvature,
      int frequency,
      DataSet probe,
      int[][] batches,
      List<double[]> weights,
      List<Checkpoint> last) {
    MultiLayerNetwork network = network(updater);
    LyapunovListener listener =
        LyapunovListener.builder(probe)
            .settings(
                AnalysisSettings.of(Tier.ECONOMY)
                    .withSeed(SEED)
                    .withBatchSize(BATCH)
                    .withComparison(SizeComparison.NONE)
                    .withAnalyzer(settings -> settings.maxEpochs(16)))
            .frequency(frequency)
            .trajectory(curvature)
            .historySize(1)
            .to(last::add)
            .strict(true)
            .build();
    network.setListeners(listener);
    for (int[] batch : batches) {
      network.fit(new DataSet(data.getFeatures().getRows(batch), data.getLabels().getRows(batch)));
      if (weights != null) {
        weights.add(network.params().dup().data().asDouble());
      }
    }
    return last.get(last.size() - 1).trajectory().orElseThrow();
  }

  static Stream<IUpdater> updaters() {
    return Stream.of(new Sgd(0.05), new Nesterovs(0.005, 0.9), new Adam(0.003));
  }

  /** The fault this was written for: every interval had an exponent of its own. */
  @ParameterizedTest
  @MethodSource("updaters")
  void theExponentIsThatOfATangentCarriedThroughTheRealWeights(IUpdater updater) {
    int[][] batches = batches(EXAMPLES);
    List<double[]> weights = new ArrayList<>();
    TrajectoryExponent.Window every = run(updater, 1, data, batches, weights);
    double truth = new Oracle(data, updater).exponent(weights, batches);
    // Of an adaptive updater the checkpoint knows the preconditioner one step late.
    double lag = updater instanceof Adam ? 0.04 : 1e-9;
    assertThat(every.drawn()).isEqualTo(1);
    assertThat(every.cumulativeExponent()).isCloseTo(truth, within(lag * -truth));
    assertThat(run(updater, 10, data, batches, null).cumulativeExponent())
        .isCloseTo(truth, within(0.07 * -truth));
    assertThat(run(updater, 100, data, batches, null).cumulativeExponent())
        .isCloseTo(truth, within(0.2 * -truth));
  }

  /**
   * The same with the full Hessian of each mini-batch, which steps with training: it does not
   * depend on the interval in a single bit.
   */
  @ParameterizedTest
  @MethodSource("updaters")
  void withTheHessianToo(IUpdater updater) {
    TrajectoryExponent.Curvature hessian = TrajectoryExponent.Curvature.HESSIAN;
    int[][] batches = Arrays.copyOf(batches(EXAMPLES), 201);
    List<double[]> weights = new ArrayList<>();
    List<Checkpoint> checkpoints = new ArrayList<>();
    TrajectoryExponent.Window every = run(updater, hessian, 1, data, batches, weights, checkpoints);
    double truth = new Oracle(data, updater, true).exponent(weights, batches);
    double partly = new Oracle(data, updater).exponent(weights, batches);
    assertThat(every.cumulativeExponent()).isCloseTo(truth, within(1e-6 * Math.abs(truth)));
    assertThat(Math.abs(truth - partly)).isGreaterThan(0.1 * Math.abs(partly));
    assertThat(every.curvature()).isEqualTo(hessian);
    assertThat(every.curvatureError()).isBetween(1e-13, 1e-6);
    assertThat(checkpoints.get(1).step().remarks())
        .anyMatch(remark -> remark.contains("full Hessian") && remark.contains("1e-7"));
    for (int frequency : new int[] {10, 100}) {
      TrajectoryExponent.Window rarely =
          run(updater, hessian, frequency, data, batches, null, new ArrayList<>());
      assertThat(rarely.steps()).isEqualTo(frequency);
      assertThat(rarely.drawn()).isEqualTo(frequency);
      assertThat(rarely.cumulativeSteps()).isEqualTo(every.cumulativeSteps());
      assertThat(rarely.cumulativeGrowth()).isEqualTo(every.cumulativeGrowth());
    }
  }

  /** The observer computes gradients, but not with the model that is trained. */
  @Test
  void withTheHessianTrainingIsNotDisturbed() {
    int[][] few = Arrays.copyOf(batches(EXAMPLES), 30);
    List<double[]> watched = new ArrayList<>();
    run(
        new Adam(0.003),
        TrajectoryExponent.Curvature.HESSIAN,
        3,
        data,
        few,
        watched,
        new ArrayList<>());
    MultiLayerNetwork alone = network(new Adam(0.003));
    for (int[] batch : few) {
      alone.fit(new DataSet(data.getFeatures().getRows(batch), data.getLabels().getRows(batch)));
    }
    assertThat(watched.get(few.length - 1)).containsExactly(alone.params().dup().data().asDouble());
  }

  /** The vector steps on: the window is that of all steps since the last checkpoint there is. */
  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void aCheckpointThatIsCancelledOrFailsLosesNothing(boolean background) {
    TrajectoryExponent.Window whole = last(background, 0, null);
    for (RuntimeException end :
        List.of(new CancellationException(), new IllegalStateException("injected"))) {
      TrajectoryExponent.Window window = last(background, 2, end);
      assertThat(window.steps()).isEqualTo(10);
      assertThat(window.index()).isEqualTo(1);
      assertThat(window.cumulativeSteps()).isEqualTo(15);
      assertThat(window.cumulativeGrowth()).isEqualTo(whole.cumulativeGrowth());
    }
    assertThat(whole.index()).isEqualTo(2);
  }

  /** The last of the windows 0–5, 5–10, 10–15, with the checkpoint of this number cut short. */
  private TrajectoryExponent.Window last(boolean background, int number, RuntimeException end) {
    int[] begun = {0};
    LyapunovListener.Builder builder =
        LyapunovListener.builder(data)
            .settings(AnalysisSettings.of(Tier.ECONOMY).withSeed(SEED))
            .frequency(5)
            .trajectory(TrajectoryExponent.Curvature.HESSIAN)
            .atEachStage(
                stage -> {
                  if (stage == Stage.ANALYSIS && begun[0]++ == number && end != null) {
                    throw end;
                  }
                });
    try (LyapunovListener listener =
        (background ? builder.background(Backlog.WAIT) : builder).build()) {
      MultiLayerNetwork network = network(new Adam(0.003));
      network.setListeners(listener);
      for (int[] batch : Arrays.copyOf(batches(EXAMPLES), 16)) {
        network.fit(
            new DataSet(data.getFeatures().getRows(batch), data.getLabels().getRows(batch)));
      }
      listener.flush();
      List<Checkpoint> history = listener.history();
      return history.get(history.size() - 1).trajectory().orElseThrow();
    }
  }

  /** A probe that is a part of the training set, whose batches it cannot follow. */
  @Test
  void whereTheProbeDoesNotHoldTheBatchesTheyAreDrawnAndTheStepSaysSo() {
    int[] half = new Random(4).ints(0, EXAMPLES).distinct().limit(EXAMPLES / 2).toArray();
    DataSet probe = new DataSet(data.getFeatures().getRows(half), data.getLabels().getRows(half));
    int[][] few = Arrays.copyOf(batches(EXAMPLES), 21);
    List<Checkpoint> checkpoints = new ArrayList<>();
    TrajectoryExponent.Window window = run(new Sgd(0.05), 10, probe, few, null, checkpoints);
    assertThat(window.drawn()).isLessThan(10);
    assertThat(checkpoints.get(1).step().remarks())
        .anyMatch(remark -> remark.startsWith("the trajectory") && remark.contains("drawn like"));
    checkpoints.clear();
    run(new Sgd(0.05), 10, data, few, null, checkpoints);
    assertThat(checkpoints.get(1).step().remarks())
        .contains("the trajectory takes the mini-batches that training drew");
  }

  /** A tangent vector with Gauss–Newton or Hessian products of every mini-batch. */
  private static final class Oracle {
    private final double[][] features;
    private final double[] labels;
    private final IUpdater updater;
    private final boolean hessian;
    private final double[] velocity;
    private final double[] first;
    private final double[] second;

    Oracle(DataSet data, IUpdater updater) {
      this(data, updater, false);
    }

    Oracle(DataSet data, IUpdater updater, boolean hessian) {
      this.hessian = hessian;
      features = data.getFeatures().toDoubleMatrix();
      labels = data.getLabels().toDoubleVector();
      this.updater = updater;
      int parameters = 0;
      for (int l = 1; l < SIZES.length; l++) {
        parameters += (SIZES[l - 1] + 1) * SIZES[l];
      }
      velocity = new double[parameters];
      first = new double[parameters];
      second = new double[parameters];
    }

    /** From the weights after the first step to those after the last. */
    double exponent(List<double[]> weights, int[][] batches) {
      double[] initial = network(updater).params().dup().data().asDouble();
      adapt(initial, batches[0]);
      double[] v = start(weights.get(0));
      double before = norm(weights.get(0), v, 1);
      double growth = 0;
      for (int t = 1; t < batches.length; t++) {
        step(weights.get(t - 1), batches[t], v, t + 1);
        double norm = norm(weights.get(t), v, t + 1);
        growth += Math.log(norm);
        for (int p = 0; p < v.length; p++) {
          v[p] /= norm;
          velocity[p] /= norm;
        }
      }
      return (growth - Math.log(before)) / (batches.length - 1);
    }

    /** The listener's own start. */
    private double[] start(double[] theta) {
      RandomStream random = new RandomStream(SEED).split(1).split(0);
      double[] v = new double[theta.length];
      for (double[] x : features) {
        double w = random.nextGaussian();
        double[] gradient = gradient(theta, x, new double[1]);
        for (int p = 0; p < v.length; p++) {
          v[p] += w * Math.sqrt(2) * gradient[p] * weight(p, 1);
        }
      }
      return v;
    }

    private void step(double[] theta, int[] batch, double[] v, int t) {
      adapt(theta, batch);
      double[] force = new double[v.length];
      for (int i : batch) {
        double[] gradient = gradient(theta, features[i], new double[1]);
        double along = dot(gradient, v);
        for (int p = 0; p < v.length; p++) {
          force[p] += 2 * along * gradient[p] / batch.length;
        }
        if (hessian) {
          addBend(theta, i, v, 1.0 / batch.length, force);
        }
      }
      for (int p = 0; p < v.length; p++) {
        if (updater instanceof Nesterovs nesterovs) {
          double beta = nesterovs.getMomentum();
          double next = beta * velocity[p] - nesterovs.getLearningRate() * force[p];
          v[p] += -beta * velocity[p] + (1 + beta) * next;
          velocity[p] = next;
        } else if (updater instanceof Adam adam) {
          velocity[p] = adam.getBeta1() * velocity[p] + (1 - adam.getBeta1()) * force[p];
          v[p] -= adam.getLearningRate() * weight(p, t) * velocity[p];
        } else {
          v[p] -= ((Sgd) updater).getLearningRate() * force[p];
        }
      }
    }

    /**
     * Adds 2 (f − y) ∇²f v: differences of ∇f by Richardson's rule, of fourth order, over a step
     * ten thousand times that of the library.
     */
    private void addBend(double[] theta, int i, double[] v, double share, double[] force) {
      double[] value = new double[1];
      gradient(theta, features[i], value);
      double norm = Math.sqrt(dot(v, v));
      for (int k = 1; k <= 2; k++) {
        double h = k * 1e-3 / norm;
        double weight = (k == 1 ? 4.0 / 3 : -1.0 / 3) / (2 * h);
        for (int sign = -1; sign <= 1; sign += 2) {
          double[] place = theta.clone();
          for (int p = 0; p < place.length; p++) {
            place[p] += sign * h * v[p];
          }
          double[] gradient = gradient(place, features[i], new double[1]);
          for (int p = 0; p < force.length; p++) {
            force[p] += share * 2 * (value[0] - labels[i]) * sign * weight * gradient[p];
          }
        }
      }
    }

    /** Adam's moments after another step, from the loss Σ(f − y)². */
    private void adapt(double[] theta, int[] batch) {
      if (updater instanceof Adam adam) {
        double[] sum = new double[theta.length];
        for (int i : batch) {
          double[] value = new double[1];
          double[] gradient = gradient(theta, features[i], value);
          for (int p = 0; p < sum.length; p++) {
            sum[p] += 2 * (value[0] - labels[i]) * gradient[p] / batch.length;
          }
        }
        for (int p = 0; p < sum.length; p++) {
          first[p] = adam.getBeta1() * first[p] + (1 - adam.getBeta1()) * sum[p];
          second[p] = adam.getBeta2() * second[p] + (1 - adam.getBeta2()) * sum[p] * sum[p];
        }
      }
    }

    private double weight(int p, int t) {
      if (updater instanceof Adam adam) {
        return Math.sqrt(1 - Math.pow(adam.getBeta2(), t))
            / (1 - Math.pow(adam.getBeta1(), t))
            / (Math.sqrt(second[p]) + adam.getEpsilon());
      }
      return 1;
    }

    /** ‖A v‖ and what the velocity will do to A v. */
    private double norm(double[] theta, double[] v, int t) {
      double look =
          updater instanceof Nesterovs nesterovs
              ? 1 + nesterovs.getMomentum()
              : updater instanceof Adam adam ? adam.getLearningRate() : 0;
      double[] moving = velocity.clone();
      for (int p = 0; p < moving.length; p++) {
        moving[p] *= look * weight(p, t);
      }
      double squares = 0;
      for (double[] x : features) {
        double[] gradient = gradient(theta, x, new double[1]);
        squares += 2 * Math.pow(dot(gradient, v), 2) + 2 * Math.pow(dot(gradient, moving), 2);
      }
      return Math.sqrt(squares);
    }

    private static double dot(double[] x, double[] y) {
      double sum = 0;
      for (int p = 0; p < x.length; p++) {
        sum += x[p] * y[p];
      }
      return sum;
    }

    /** The output and its gradient; weights in Fortran order, then biases, layer by layer. */
    private static double[] gradient(double[] theta, double[] input, double[] output) {
      int layers = SIZES.length - 1;
      double[][] values = new double[layers + 1][];
      values[0] = input;
      int[] offsets = new int[layers + 1];
      for (int l = 0; l < layers; l++) {
        int p = SIZES[l];
        int q = SIZES[l + 1];
        offsets[l + 1] = offsets[l] + (p + 1) * q;
        values[l + 1] = new double[q];
        for (int j = 0; j < q; j++) {
          double sum = theta[offsets[l] + p * q + j];
          for (int i = 0; i < p; i++) {
            sum += values[l][i] * theta[offsets[l] + j * p + i];
          }
          values[l + 1][j] = l < layers - 1 ? Math.tanh(sum) : sum;
        }
      }
      output[0] = values[layers][0];
      double[] gradient = new double[theta.length];
      double[] delta = {1};
      for (int l = layers - 1; l >= 0; l--) {
        int p = SIZES[l];
        double[] below = new double[p];
        for (int j = 0; j < delta.length; j++) {
          gradient[offsets[l] + p * delta.length + j] = delta[j];
          for (int i = 0; i < p; i++) {
            gradient[offsets[l] + j * p + i] = delta[j] * values[l][i];
            below[i] += delta[j] * theta[offsets[l] + j * p + i];
          }
        }
        for (int i = 0; i < p; i++) {
          below[i] *= 1 - values[l][i] * values[l][i];
        }
        delta = below;
      }
      return gradient;
    }
  }

  /** The oracle's network is Deeplearning4j's. */
  @Test
  void theOracleHasTheSameNetwork() {
    MultiLayerNetwork network = network(new Sgd(0.05));
    double[] theta = network.params().dup().data().asDouble();
    INDArray outputs = network.output(data.getFeatures());
    for (int i = 0; i < EXAMPLES; i++) {
      double[] value = new double[1];
      Oracle.gradient(theta, data.getFeatures().getRow(i).toDoubleVector(), value);
      assertThat(value[0]).isCloseTo(outputs.getDouble(i, 0), within(1e-12));
    }
  }
}
