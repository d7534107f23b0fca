// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.dl4j;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Optional;
import org.deeplearning4j.nn.api.layers.LayerConstraint;
import org.deeplearning4j.nn.conf.constraint.MaxNormConstraint;
import org.deeplearning4j.nn.conf.constraint.UnitNormConstraint;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.junit.jupiter.api.Test;
import org.lyapunov4j.dl4j.checkpoint.Checkpoint;
import org.lyapunov4j.step.SgdStep;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.dataset.DataSet;
import org.nd4j.linalg.learning.config.Adam;
import org.nd4j.linalg.learning.config.Nesterovs;
import org.nd4j.linalg.learning.config.Sgd;

/** A largest norm of weights, against the linearised step by Deeplearning4j's own fit. */
class MaxNormTest {
  private static final double RATE = 0.1;

  private static MultiLayerNetwork network(LayerConstraint constraint) {
    return Networks.regression(
        Networks.configuration(new Sgd(RATE), DataType.DOUBLE).constrainWeights(constraint),
        3,
        5,
        2);
  }

  private static DataSet fitted(MultiLayerNetwork network) {
    DataSet data = Networks.data(5, 6, 3, 2, DataType.DOUBLE);
    return new DataSet(data.getFeatures(), network.output(data.getFeatures()).dup());
  }

  /** The 1e-6 that Deeplearning4j adds to every norm is all that is between the two. */
  @Test
  void whereItIsNotReachedItIsTheStepOfTrainingButForItsEpsilon() {
    MultiLayerNetwork network = network(new MaxNormConstraint(50, 1));
    DataSet data = fitted(network);
    double smallest =
        Math.min(
            network.getLayer(0).getParam("W").norm2(1).minNumber().doubleValue(),
            network.getLayer(1).getParam("W").norm2(1).minNumber().doubleValue());
    double[][] truth = new FitDerivative(network, 0).of(data);
    double[][] found =
        FitDerivative.predicted(
            network, data, SgdStep.of(RATE, 6), Optional.empty(), Optional.empty());
    double most = 0;
    for (int i = 0; i < truth.length; i++) {
      for (int j = 0; j < truth.length; j++) {
        most = Math.max(most, Math.abs(truth[i][j] - found[i][j]));
      }
    }
    assertThat(most).isBetween(1e-8, 2e-6 / smallest);
    Checkpoint checkpoint =
        StabilityAnalysis.of(
                network, data, AnalysisSettings.standard().withSeed(0).withBatchSize(6))
            .run();
    assertThat(checkpoint.step().toString())
        .startsWith("APPROXIMATE (a largest norm of weights is not reached");
    assertThat(checkpoint.stability().edgeRatio()).isPresent();
  }

  @Test
  void weightsThatAreReachedAndDecayAreObserved() {
    MultiLayerNetwork network =
        Networks.regression(
            Networks.configuration(new Sgd(RATE), DataType.DOUBLE)
                .l2(1e-3)
                .constrainWeights(new MaxNormConstraint(0.5, 1)),
            3,
            5,
            2);
    Checkpoint checkpoint =
        StabilityAnalysis.of(
                network, fitted(network), AnalysisSettings.standard().withSeed(0).withBatchSize(6))
            .run();
    assertThat(checkpoint.step().toString())
        .startsWith("OBSERVED")
        .contains("it is reached by weights that also decay");
    assertThat(checkpoint.hasStability()).isFalse();
  }

  @Test
  void aPreconditionerBesideItIsObserved() {
    MultiLayerNetwork network =
        Networks.regression(
            Networks.configuration(new Adam(RATE), DataType.DOUBLE)
                .constrainWeights(new MaxNormConstraint(0.5, 1)),
            3,
            5,
            2);
    network.fit(fitted(network));
    Checkpoint checkpoint =
        StabilityAnalysis.of(
                network, fitted(network), AnalysisSettings.standard().withSeed(0).withBatchSize(6))
            .run();
    assertThat(checkpoint.step().toString())
        .startsWith("OBSERVED")
        .contains("does not commute with the preconditioner of Adam");
  }

  @Test
  void memoriesThatDifferBesideItAreObserved() {
    MultiLayerNetwork network =
        Networks.regression(
            Networks.configuration(new Nesterovs(RATE, 0.9), DataType.DOUBLE)
                .biasUpdater(new Sgd(RATE))
                .constrainWeights(new MaxNormConstraint(0.5, 1)),
            3,
            5,
            2);
    Checkpoint checkpoint =
        StabilityAnalysis.of(
                network, fitted(network), AnalysisSettings.standard().withSeed(0).withBatchSize(6))
            .run();
    assertThat(checkpoint.step().toString())
        .startsWith("OBSERVED")
        .contains("it is reached where parameters have decays or memories of their own");
  }

  @Test
  void whatIsNearlyReachedIsSaidToBeFree() {
    MultiLayerNetwork network = network(new MaxNormConstraint(50, 1));
    double largest = network.getLayer(0).getParam("W").norm2(1).maxNumber().doubleValue();
    MultiLayerNetwork near = network(new MaxNormConstraint(1.005 * largest, 1));
    Checkpoint checkpoint =
        StabilityAnalysis.of(
                near, fitted(near), AnalysisSettings.standard().withSeed(0).withBatchSize(6))
            .run();
    assertThat(checkpoint.hasStability()).isFalse(); // the edge alone
    assertThat(checkpoint.step().toString())
        .startsWith(
            "APPROXIMATE (0 of 8 weight vectors stay at their largest norm, 1 within 1 % of it is"
                + " taken to be free: they may change places at every step: the edge ratio is a"
                + " gauge");
  }

  @Test
  void otherConstraintsAreObserved() {
    MultiLayerNetwork network = network(new UnitNormConstraint(1));
    Checkpoint checkpoint =
        StabilityAnalysis.of(
                network, fitted(network), AnalysisSettings.standard().withSeed(0).withBatchSize(6))
            .run();
    assertThat(checkpoint.step().toString())
        .startsWith("OBSERVED")
        .contains("The constraint UnitNormConstraint");
  }
}
