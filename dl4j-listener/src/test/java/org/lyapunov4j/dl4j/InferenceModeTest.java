// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.dl4j;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.deeplearning4j.nn.conf.NeuralNetConfiguration;
import org.deeplearning4j.nn.conf.layers.ActivationLayer;
import org.deeplearning4j.nn.conf.layers.BatchNormalization;
import org.deeplearning4j.nn.conf.layers.DenseLayer;
import org.deeplearning4j.nn.conf.layers.OutputLayer;
import org.deeplearning4j.nn.conf.weightnoise.DropConnect;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.deeplearning4j.nn.workspace.LayerWorkspaceMgr;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.lyapunov4j.dl4j.checkpoint.Checkpoint;
import org.lyapunov4j.dl4j.step.Level;
import org.lyapunov4j.step.RandomStream;
import org.nd4j.linalg.activations.Activation;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.dataset.DataSet;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.learning.config.Sgd;
import org.nd4j.linalg.lossfunctions.LossFunctions.LossFunction;

/**
 * The edge of a network in inference mode against that of training: of products of steps I − η
 * J_SᵀJ_S/B, J by differences of Deeplearning4j's own outputs in training mode, with the noise it
 * draws and the statistics of the mini-batch.
 */
class InferenceModeTest {
  private static final int HIDDEN = 6;
  private static final int DRAWS = 24;
  private static final double RATE = 0.1;
  private static final double H = 1e-5;

  /** Kept is 1 without noise; else the share of units, or of weights, that is kept. */
  record Case(String kind, double kept, int examples, int batch, double low, double high) {
    MultiLayerNetwork network(long seed) {
      NeuralNetConfiguration.Builder builder =
          Networks.configuration(new Sgd(RATE), DataType.DOUBLE);
      if (kind.equals("weights")) {
        builder.weightNoise(new DropConnect(kept));
      }
      boolean normalised = kind.equals("statistics");
      NeuralNetConfiguration.ListBuilder list = builder.list();
      list.layer(
          new DenseLayer.Builder()
              .nIn(3)
              .nOut(HIDDEN)
              .activation(normalised ? Activation.IDENTITY : Activation.TANH)
              .build());
      if (normalised) {
        list.layer(
            new BatchNormalization.Builder().useLogStd(false).nIn(HIDDEN).nOut(HIDDEN).build());
        list.layer(new ActivationLayer(Activation.TANH));
      }
      OutputLayer.Builder output =
          new OutputLayer.Builder(LossFunction.MSE)
              .nIn(HIDDEN)
              .nOut(2) // ‖f − y‖²/2: no other factor
              .activation(Activation.IDENTITY);
      if (kind.equals("units")) {
        output.dropOut(kept);
      }
      return Networks.initialise(list.layer(output.build()).build(), seed);
    }

    @Override
    public String toString() {
      return kind + " " + kept + ", N = " + examples + ", B = " + batch;
    }
  }

  static Stream<Case> cases() {
    return Stream.of(
        new Case("none", 1, 16, 16, 0.97, 1.03),
        new Case("none", 1, 16, 2, 0.9, 1.1),
        new Case("units", 0.9, 16, 16, 0.9, 1.2),
        new Case("units", 0.9, 16, 2, 0.9, 1.4),
        new Case("units", 0.5, 16, 16, 1.05, 2),
        new Case("units", 0.5, 16, 2, 1.5, 4),
        new Case("weights", 0.9, 16, 2, 0.7, 1.1),
        new Case("weights", 0.5, 16, 2, 0.25, 1),
        new Case("statistics", 1, 32, 32, 0.4, 1.15),
        new Case("statistics", 1, 128, 32, 0.4, 1.15),
        new Case("statistics", 1, 8, 8, 1.0 / 6, 1.2),
        new Case("statistics", 1, 128, 8, 0.5, 2.2));
  }

  @ParameterizedTest
  @MethodSource("cases")
  void theEdgeIsNearThatOfTraining(Case test) {
    for (long seed = 31; seed < 34; seed++) {
      MultiLayerNetwork network = test.network(seed);
      INDArray features = Networks.data(seed, test.examples(), 3, 2, DataType.DOUBLE).getFeatures();
      settle(network, features);
      DataSet data = new DataSet(features, network.output(features).dup());
      Checkpoint checkpoint =
          StabilityAnalysis.of(
                  network,
                  data,
                  AnalysisSettings.standard()
                      .withSeed(0)
                      .withBatchSize(test.batch())
                      .withAnalyzer(settings -> settings.maxEpochs(32)))
              .run();
      double edge = checkpoint.findings().criticalLearningRate().orElseThrow().value();
      double ratio = edge / edge(curvatures(network, features, test));
      assertThat(ratio).isBetween(test.low(), test.high());
      if (checkpoint.level() instanceof Level.Approximate near && near.isGauge()) {
        assertThat(ratio).isBetween(1 / near.factor(), near.factor());
      }
    }
  }

  /** The statistics of all examples, which a long training would leave. */
  private static void settle(MultiLayerNetwork network, INDArray features) {
    if (network.getLayer(1).getParam("mean") != null) {
      INDArray z = network.getLayer(0).activate(features, false, LayerWorkspaceMgr.noWorkspaces());
      network.getLayer(1).getParam("gamma").assign(1);
      network.getLayer(1).getParam("beta").assign(0);
      network.getLayer(1).getParam("mean").assign(z.mean(0));
      network.getLayer(1).getParam("var").assign(z.var(false, 0));
    }
  }

  /** All but the running statistics, which no gradient moves. */
  private static int[] trained(MultiLayerNetwork network) {
    int from = (int) network.getLayer(0).numParams() + 2 * HIDDEN;
    boolean normalised = network.getLayer(1).getParam("mean") != null;
    return IntStream.range(0, (int) network.numParams())
        .filter(p -> !normalised || p < from || p >= from + 2 * HIDDEN)
        .toArray();
  }

  private static List<double[][]> curvatures(
      MultiLayerNetwork network, INDArray features, Case test) {
    RandomStream random = new RandomStream(8);
    List<double[][]> curvatures = new ArrayList<>();
    boolean one = test.batch() == test.examples() && test.kept() == 1;
    for (int draw = 0; draw < (one ? 1 : DRAWS); draw++) {
      int[] batch = subset(random, test.examples(), test.batch());
      curvatures.add(curvature(network, features.getRows(batch), draw));
    }
    return curvatures;
  }

  private static int[] subset(RandomStream random, int examples, int size) {
    int[] order = IntStream.range(0, examples).toArray();
    for (int i = 0; i < size; i++) {
      int j = i + random.nextInt(examples - i);
      int moved = order[i];
      order[i] = order[j];
      order[j] = moved;
    }
    return Arrays.copyOf(order, size);
  }

  /** JᵀJ/B of outputs in training mode, with the noise of one seed. */
  private static double[][] curvature(MultiLayerNetwork network, INDArray batch, int seed) {
    int[] trained = trained(network);
    INDArray parameters = network.params();
    double[][] columns = new double[trained.length][];
    for (int j = 0; j < trained.length; j++) {
      double here = parameters.getDouble(trained[j]);
      double[] up = outputs(network, batch, trained[j], here + H, seed);
      double[] down = outputs(network, batch, trained[j], here - H, seed);
      parameters.putScalar(trained[j], here);
      columns[j] =
          IntStream.range(0, up.length).mapToDouble(r -> (up[r] - down[r]) / (2 * H)).toArray();
    }
    double[][] curvature = new double[trained.length][trained.length];
    for (int i = 0; i < trained.length; i++) {
      for (int j = 0; j < trained.length; j++) {
        for (int r = 0; r < columns[i].length; r++) {
          curvature[i][j] += columns[i][r] * columns[j][r] / batch.size(0);
        }
      }
    }
    return curvature;
  }

  private static double[] outputs(
      MultiLayerNetwork network, INDArray batch, int parameter, double value, int seed) {
    network.params().putScalar(parameter, value);
    Nd4j.getRandom().setSeed(seed + 100);
    return FitDerivative.vector(network.output(batch.dup(), true));
  }

  private static double edge(List<double[][]> curvatures) {
    double high = 1e-2;
    while (exponent(curvatures, high) < 1e-3) {
      high *= 1.3;
    }
    double low = high / 1.3;
    for (int bisection = 0; bisection < 7; bisection++) {
      double middle = Math.sqrt(low * high);
      if (exponent(curvatures, middle) < 1e-3) {
        low = middle;
      } else {
        high = middle;
      }
    }
    return Math.sqrt(low * high);
  }

  private static double exponent(List<double[][]> curvatures, double rate) {
    RandomStream random = new RandomStream(5);
    double[] x = new double[curvatures.get(0).length];
    Arrays.setAll(x, i -> random.nextGaussian());
    double sum = 0;
    for (int t = 0; t < 3000; t++) {
      double[][] curvature = curvatures.get(random.nextInt(curvatures.size()));
      double[] next = x.clone();
      double squares = 0;
      for (int i = 0; i < x.length; i++) {
        for (int j = 0; j < x.length; j++) {
          next[i] -= rate * curvature[i][j] * x[j];
        }
        squares += next[i] * next[i];
      }
      double norm = Math.sqrt(squares);
      for (int i = 0; i < x.length; i++) {
        x[i] = next[i] / norm;
      }
      sum += t < 300 ? 0 : Math.log(norm);
    }
    return sum / 2700;
  }

  /** At a fit of the full batch the same curvature is in Deeplearning4j's own step. */
  @Test
  void trainingModeIsThatOfFit() {
    Case test = new Case("statistics", 1, 16, 16, 1, 1);
    MultiLayerNetwork network = test.network(31);
    INDArray features = Networks.data(31, 16, 3, 2, DataType.DOUBLE).getFeatures();
    settle(network, features);
    DataSet data = new DataSet(features, network.output(features, true).dup());
    double[][] curvature = curvature(network, features, 0);
    double[][] fit = new FitDerivative(network, 0).of(data);
    int[] trained = trained(network);
    double[][] step = new double[trained.length][trained.length];
    double[][] expected = new double[trained.length][trained.length];
    for (int i = 0; i < trained.length; i++) {
      for (int j = 0; j < trained.length; j++) {
        step[i][j] = fit[trained[i]][trained[j]];
        expected[i][j] = (i == j ? 1 : 0) - RATE * curvature[i][j];
      }
    }
    assertThat(FitDerivative.distance(expected, step)).isLessThan(1e-7);
  }

  @Test
  void statisticsOfFewValuesAreObserved() {
    MultiLayerNetwork network = new Case("statistics", 1, 16, 4, 1, 1).network(31);
    INDArray features = Networks.data(31, 16, 3, 2, DataType.DOUBLE).getFeatures();
    settle(network, features);
    DataSet data = new DataSet(features, network.output(features).dup());
    Checkpoint checkpoint =
        StabilityAnalysis.of(
                network, data, AnalysisSettings.standard().withSeed(0).withBatchSize(4))
            .run();
    assertThat(checkpoint.step().toString())
        .startsWith("OBSERVED")
        .contains("fewer than 8 values behind a statistic, here 4", "mini-batches that give it 32");
  }
}
