// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.samples.experiment;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.io.IOException;
import java.util.List;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.junit.jupiter.api.Test;
import org.lyapunov4j.dl4j.AnalysisSettings;
import org.lyapunov4j.dl4j.AnalysisSettings.SizeComparison;
import org.lyapunov4j.dl4j.StabilityAnalysis;
import org.lyapunov4j.dl4j.checkpoint.Checkpoint;
import org.lyapunov4j.samples.data.DataSource;
import org.lyapunov4j.samples.data.Targets;
import org.lyapunov4j.samples.train.DenseNetwork;
import org.lyapunov4j.step.RandomStream;
import org.nd4j.linalg.activations.Activation;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.dataset.DataSet;
import org.nd4j.linalg.learning.config.Sgd;
import org.nd4j.linalg.lossfunctions.LossFunctions.LossFunction;

class CheckpointSeriesTest {
  private static Checkpoint checkpoint(MultiLayerNetwork network, DataSet probe) {
    return StabilityAnalysis.of(
            network,
            probe,
            AnalysisSettings.standard()
                .withSeed(0)
                .withBatchSize(2)
                .withComparison(SizeComparison.NONE))
        .run();
  }

  @Test
  void theGaussNewtonSharpnessIsThatOfAllExamplesWhateverTheProbe() throws IOException {
    DataSet all =
        DataSource.parse("digits")
            .load(24, Targets.ONE_HOT, new RandomStream(1))
            .toDataSet(DataType.DOUBLE);
    DataSet probe = Cifar.first(all, 7);
    MultiLayerNetwork network =
        DenseNetwork.initialised(
            new DenseNetwork(List.of(9), Activation.TANH, LossFunction.MSE, DataType.DOUBLE)
                .configuration((int) all.getFeatures().size(1), 10, new Sgd(0.1), 1));
    double expected = checkpoint(network, all).stability().sharpness();
    for (DataSet some : List.of(probe, all)) {
      try (CheckpointSeries series = new CheckpointSeries(network, all, some)) {
        series.add(checkpoint(network, some));
        // the tolerance of the residual is a hundredth, the error of second order in it
        assertThat(series.measurements().curve("gaussNewton")[0])
            .isCloseTo(expected, within(1e-3 * expected));
      }
    }
    assertThat(checkpoint(network, probe).stability().sharpness())
        .isNotCloseTo(expected, within(1e-2 * expected));
  }
}
