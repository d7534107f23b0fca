// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.dl4j;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.data.Offset.offset;

import java.util.Arrays;
import java.util.Optional;
import org.deeplearning4j.nn.conf.layers.CenterLossOutputLayer;
import org.deeplearning4j.nn.conf.layers.DenseLayer;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.hipparchus.linear.LUDecomposition;
import org.hipparchus.linear.MatrixUtils;
import org.junit.jupiter.api.Test;
import org.lyapunov4j.dl4j.checkpoint.Checkpoint;
import org.lyapunov4j.dl4j.step.Level;
import org.lyapunov4j.step.SgdStep;
import org.nd4j.linalg.activations.Activation;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.dataset.DataSet;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.inverse.InvertMatrix;
import org.nd4j.linalg.learning.config.Adam;
import org.nd4j.linalg.learning.config.IUpdater;
import org.nd4j.linalg.learning.config.Sgd;
import org.nd4j.linalg.lossfunctions.LossFunctions.LossFunction;

/** Centre loss with its centres held fixed, against the linearised step by Deeplearning4j's fit. */
class CentreLossTest {
  private static final int CLASSES = 3;
  private static final int FEATURES = 4;
  private static final double RATE = 0.3;

  private static MultiLayerNetwork network(IUpdater updater) {
    return Networks.initialise(
        Networks.configuration(updater, DataType.DOUBLE)
            .list()
            .layer(
                new DenseLayer.Builder().nIn(3).nOut(FEATURES).activation(Activation.TANH).build())
            .layer(
                new CenterLossOutputLayer.Builder(LossFunction.MCXENT)
                    .nIn(FEATURES)
                    .nOut(CLASSES)
                    .lambda(0.3)
                    .alpha(0.1)
                    .activation(Activation.SOFTMAX)
                    .build())
            .build(),
        31);
  }

  /** Labels and centres that leave neither loss a gradient. */
  private static DataSet fit(MultiLayerNetwork network) {
    INDArray features = Networks.data(7, CLASSES, 3, 1, DataType.DOUBLE).getFeatures();
    INDArray labels = network.output(features).dup();
    INDArray inside = network.feedForward(features).get(1);
    network.getLayer(1).getParam("cL").assign(InvertMatrix.invert(labels, false).mmul(inside));
    return new DataSet(features, labels);
  }

  @Test
  void atAFitItIsTheStepOfTrainingAllButTheCentres() {
    MultiLayerNetwork network = network(new Sgd(RATE));
    DataSet data = fit(network);
    int trained = trained(network);
    double[][] truth = block(new FitDerivative(network, 0).of(data), 0, trained);
    assertThat(FitDerivative.distance(block(predicted(network, data), 0, trained), truth))
        .isLessThan(1e-8);
    Checkpoint checkpoint =
        StabilityAnalysis.of(
                network,
                data,
                AnalysisSettings.standard().withSeed(0).withBatchSize(data.numExamples()))
            .run();
    assertThat(checkpoint.step().toString())
        .startsWith("APPROXIMATE (the centres of the centre loss stand still");
    assertThat(checkpoint.stability().edgeRatio()).isPresent();
    assertThat(checkpoint.probeLoss()).isEqualTo(network.score(data), offset(1e-10));
  }

  /** With classes for labels, for the parameters of the output layer, in which f is linear. */
  @Test
  void awayFromAFitItIsTheStepOfTheOutputLayer() {
    MultiLayerNetwork network = network(new Sgd(RATE));
    DataSet data =
        new DataSet(
            Networks.data(7, CLASSES, 3, 1, DataType.DOUBLE).getFeatures(),
            Nd4j.eye(CLASSES).castTo(DataType.DOUBLE));
    int from = (int) network.getLayer(0).numParams();
    int trained = trained(network);
    double[][] truth = block(new FitDerivative(network, 0).of(data), from, trained);
    assertThat(FitDerivative.distance(block(predicted(network, data), from, trained), truth))
        .isLessThan(1e-8);
    Checkpoint checkpoint =
        StabilityAnalysis.of(
                network, data, AnalysisSettings.standard().withSeed(0).withBatchSize(CLASSES))
            .run();
    assertThat(checkpoint.probeLoss()).isEqualTo(network.score(data), offset(1e-10));
  }

  /** The edge of the whole step, centres included, against that of the step without theirs. */
  @Test
  void theStepsOfTheCentresHardlyMoveTheEdge() {
    MultiLayerNetwork network = network(new Sgd(RATE));
    DataSet data = fit(network);
    double[][] step = new FitDerivative(network, 0).of(data);
    int trained = trained(network);
    double whole = edge(step, trained);
    double fixed = edge(block(step, 0, trained), trained);
    assertThat(Math.abs(whole / fixed - 1)).isBetween(1e-4, 2e-3);
    Checkpoint checkpoint =
        StabilityAnalysis.of(
                network,
                data,
                AnalysisSettings.standard().withSeed(0).withBatchSize(data.numExamples()))
            .run();
    assertThat(RATE / checkpoint.stability().edgeRatio().getAsDouble())
        .isEqualTo(fixed, offset(1e-6 * fixed));
  }

  @Test
  void anUpdaterWithMemoryDoesNotMindTheCentres() {
    MultiLayerNetwork network = network(new Adam(1e-3));
    DataSet data = fit(network);
    network.fit(data);
    Checkpoint checkpoint =
        StabilityAnalysis.of(
                network,
                data,
                AnalysisSettings.standard().withSeed(0).withBatchSize(data.numExamples()))
            .run();
    assertThat(checkpoint.level()).isInstanceOf(Level.Approximate.class);
  }

  private static int trained(MultiLayerNetwork network) {
    return (int) network.numParams() - CLASSES * FEATURES;
  }

  private static double[][] predicted(MultiLayerNetwork network, DataSet data) {
    return FitDerivative.predicted(
        network, data, SgdStep.of(RATE, data.numExamples()), Optional.empty(), Optional.empty());
  }

  private static double[][] block(double[][] matrix, int from, int to) {
    return Arrays.stream(matrix, from, to)
        .map(row -> Arrays.copyOfRange(row, from, to))
        .toArray(double[][]::new);
  }

  /** The smallest rate with an eigenvalue −1; the rows of the centres have a rate of their own. */
  private static double edge(double[][] step, int trained) {
    double high = 1e-2;
    while (determinant(step, trained, high) > 0) {
      high *= 1.01;
    }
    double low = high / 1.01;
    while (high - low > 1e-12 * high) {
      double rate = (low + high) / 2;
      if (determinant(step, trained, rate) > 0) {
        low = rate;
      } else {
        high = rate;
      }
    }
    return low;
  }

  /** Of the step at another rate, plus the identity. */
  private static double determinant(double[][] step, int trained, double rate) {
    double[][] matrix = new double[step.length][step.length];
    for (int i = 0; i < step.length; i++) {
      for (int j = 0; j < step.length; j++) {
        double one = i == j ? 1 : 0;
        matrix[i][j] = 2 * one + (step[i][j] - one) * (i < trained ? rate / RATE : 1);
      }
    }
    return new LUDecomposition(MatrixUtils.createRealMatrix(matrix)).getDeterminant();
  }
}
