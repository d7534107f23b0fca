// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.dl4j;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.within;

import java.util.Random;
import org.deeplearning4j.nn.conf.layers.OutputLayer;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.junit.jupiter.api.Test;
import org.lyapunov4j.dl4j.AnalysisSettings.SizeComparison;
import org.lyapunov4j.dl4j.checkpoint.Checkpoint;
import org.lyapunov4j.dl4j.checkpoint.CheckpointDocument;
import org.lyapunov4j.exponent.FiniteTimeEstimator;
import org.lyapunov4j.exponent.FiniteTimeExponents;
import org.lyapunov4j.stability.Tier;
import org.nd4j.linalg.activations.Activation;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.dataset.DataSet;
import org.nd4j.linalg.learning.config.Sgd;
import org.nd4j.linalg.lossfunctions.LossFunctions.LossFunction;

/** The residual that training has now, over a horizon. */
class ResidualHorizonTest {
  private static final int EXAMPLES = 10;
  private static final int BATCH = 2;
  private static final int HORIZON = 20;

  private final DataSet data = Networks.data(3, EXAMPLES, 14, 1, DataType.DOUBLE);

  /** Linear with more parameters than examples: the residual of training is the product's. */
  private static MultiLayerNetwork linear() {
    return Networks.initialise(
        Networks.configuration(new Sgd(0.03), DataType.DOUBLE)
            .list()
            .layer(
                new OutputLayer.Builder(LossFunction.L2)
                    .nIn(14)
                    .nOut(1)
                    .activation(Activation.IDENTITY)
                    .build())
            .build(),
        9);
  }

  private static AnalysisSettings settings(Tier tier) {
    return AnalysisSettings.of(tier)
        .withSeed(4)
        .withBatchSize(BATCH)
        .withComparison(SizeComparison.NONE)
        .withAnalyzer(analyzer -> analyzer.maxEpochs(16));
  }

  private LyapunovListener.Builder listener(AnalysisSettings settings) {
    return LyapunovListener.builder(data).settings(settings).frequency(1).strict(true);
  }

  private Checkpoint first(LyapunovListener.Builder builder) {
    MultiLayerNetwork network = linear();
    LyapunovListener listener = builder.build();
    network.setListeners(listener);
    fit(network, new Random(1));
    return listener.history().get(0);
  }

  private void fit(MultiLayerNetwork network, Random random) {
    int[] batch = random.ints(0, EXAMPLES).distinct().limit(BATCH).toArray();
    network.fit(new DataSet(data.getFeatures().getRows(batch), data.getLabels().getRows(batch)));
  }

  private double residual(MultiLayerNetwork network) {
    INDArray difference = network.output(data.getFeatures()).sub(data.getLabels());
    return difference.norm2Number().doubleValue();
  }

  /** Against training itself, from the same parameters over and over. */
  @Test
  void itIsWhatTrainingDoesFromHere() {
    FiniteTimeExponents found =
        first(listener(settings(Tier.ECONOMY).withHorizon(HORIZON))).finiteTime().orElseThrow();
    MultiLayerNetwork start = linear();
    fit(start, new Random(1));
    int runs = 200;
    double sum = 0;
    double squares = 0;
    for (int run = 0; run < runs; run++) {
      MultiLayerNetwork network = start.clone();
      Random random = new Random(100 + run);
      double before = residual(network);
      for (int s = 0; s < HORIZON; s++) {
        fit(network, random);
      }
      double growth = Math.log(residual(network) / before) / HORIZON;
      sum += growth / runs;
      squares += growth * growth / runs;
    }
    double variance = squares - sum * sum;
    double error = Math.hypot(Math.sqrt(variance / runs), found.mean().standardError());
    assertThat(found.start()).isEqualTo(FiniteTimeEstimator.Start.RESIDUAL);
    assertThat(found.trajectories()).isEqualTo(256);
    assertThat(found.mean().value()).isCloseTo(sum, within(4 * error));
    assertThat(error).isLessThan(-0.05 * sum);
    assertThat(found.variance().value()).isBetween(variance / 1.6, variance * 1.6);
  }

  @Test
  void theFullTierHasItAndAnyOtherIfAsked() {
    assertThat(first(listener(settings(Tier.STANDARD))).finiteTime()).isEmpty();
    assertThat(first(listener(settings(Tier.FULL).withHorizon(0))).finiteTime()).isEmpty();
    Checkpoint full = first(listener(settings(Tier.FULL)));
    assertThat(full.finiteTime().orElseThrow().horizon()).isEqualTo(100);
    CheckpointDocument line = CheckpointDocument.of(full);
    assertThat(line.text("finiteTime.start")).contains("RESIDUAL");
    assertThat(line.number("finiteTime.meanError")).isPositive();
    assertThat(line.number("finiteTime.varianceError")).isPositive();
    assertThat(line.number("finiteTime.skewnessError")).isPositive();
    assertThatIllegalArgumentException()
        .isThrownBy(() -> settings(Tier.FULL).withHorizon(-1))
        .withMessageContaining("at least 1 step, or 0 for none, got -1");
  }

  /** The same numbers as without the listener. */
  @Test
  void theAnalysisOfASavedModelHasItToo() {
    MultiLayerNetwork network = linear();
    fit(network, new Random(1));
    Checkpoint analysed =
        StabilityAnalysis.of(
                network,
                data,
                AnalysisSettings.of(Tier.ECONOMY)
                    .withSeed(4)
                    .withBatchSize(BATCH)
                    .withHorizon(HORIZON))
            .run();
    double[] listened =
        first(listener(settings(Tier.ECONOMY).withHorizon(HORIZON)))
            .finiteTime()
            .orElseThrow()
            .toArray();
    assertThat(analysed.finiteTime().orElseThrow().toArray()).containsExactly(listened);
  }
}
