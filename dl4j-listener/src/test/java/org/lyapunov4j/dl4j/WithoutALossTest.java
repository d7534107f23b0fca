// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.dl4j;

import static org.assertj.core.api.Assertions.assertThat;

import org.deeplearning4j.datasets.iterator.utilty.ListDataSetIterator;
import org.deeplearning4j.nn.conf.layers.DenseLayer;
import org.deeplearning4j.nn.conf.layers.variational.VariationalAutoencoder;
import org.deeplearning4j.nn.gradient.Gradient;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.deeplearning4j.nn.workspace.LayerWorkspaceMgr;
import org.junit.jupiter.api.Test;
import org.lyapunov4j.dl4j.checkpoint.Checkpoint;
import org.nd4j.linalg.activations.Activation;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.dataset.DataSet;
import org.nd4j.linalg.learning.config.Sgd;

/** Training without a loss on an output: by errors from elsewhere, or layer by layer. */
class WithoutALossTest {
  private static final int EXAMPLES = 6;

  private final DataSet data = Networks.data(5, EXAMPLES, 3, 2, DataType.DOUBLE);

  private LyapunovListener listener() {
    return LyapunovListener.builder(data)
        .settings(AnalysisSettings.standard().withSeed(0).withBatchSize(EXAMPLES))
        .frequency(1)
        .build();
  }

  private static DenseLayer dense(int from, int to) {
    return new DenseLayer.Builder().nIn(from).nOut(to).activation(Activation.TANH).build();
  }

  /** The program takes the step and tells the listener, since Deeplearning4j does neither. */
  private INDArray trainByErrors(LyapunovListener listener) {
    MultiLayerNetwork network =
        Networks.initialise(
            Networks.configuration(new Sgd(0.1), DataType.DOUBLE)
                .list()
                .layer(dense(3, 4))
                .layer(dense(4, 2))
                .build(),
            3);
    for (int iteration = 0; iteration < 3; iteration++) {
      INDArray errors = network.output(data.getFeatures()).sub(data.getLabels());
      network.setInput(data.getFeatures());
      network.feedForward(true, false);
      Gradient gradient = network.backpropGradient(errors, null).getFirst();
      network
          .getUpdater()
          .update(network, gradient, iteration, 0, EXAMPLES, LayerWorkspaceMgr.noWorkspaces());
      network.params().subi(gradient.gradient());
      if (listener != null) {
        listener.iterationDone(network, iteration, 0);
      }
    }
    return network.params();
  }

  @Test
  void errorsFromElsewhereAreObserved() {
    LyapunovListener listener = listener();
    assertThat(trainByErrors(listener)).isEqualTo(trainByErrors(null));
    assertThat(listener.status().reason()).isEmpty();
    assertThat(listener.failures()).isZero();
    assertThat(listener.history()).hasSize(3);
    Checkpoint last = listener.history().get(2);
    assertThat(last.step().toString())
        .startsWith("OBSERVED (no λ: ")
        .contains("no Gram rule for a network that ends in layer 'layer1' (DenseLayer)")
        .contains("Sgd, learning rate 0.1, batch size 6");
    assertThat(last.hasStability()).isFalse();
    assertThat(last.edge()).isEmpty();
    assertThat(last.gramBytes()).isZero();
    listener.close();
  }

  private MultiLayerNetwork pretrain(LyapunovListener listener) {
    MultiLayerNetwork network =
        new MultiLayerNetwork(
            Networks.configuration(new Sgd(0.1), DataType.DOUBLE)
                .list()
                .layer(
                    new VariationalAutoencoder.Builder()
                        .nIn(3)
                        .nOut(2)
                        .encoderLayerSizes(4)
                        .decoderLayerSizes(4)
                        .build())
                .build());
    network.init();
    if (listener != null) {
      network.setListeners(listener);
    }
    org.nd4j.linalg.factory.Nd4j.getRandom().setSeed(7);
    network.pretrain(new ListDataSetIterator<>(data.batchBy(2), 2), 2);
    return network;
  }

  @Test
  void pretrainingIsLeftAlone() {
    LyapunovListener listener = listener();
    MultiLayerNetwork network = pretrain(listener);
    assertThat(network.params()).isEqualTo(pretrain(null).params());
    assertThat(listener.failures()).isZero();
    assertThat(listener.history()).isEmpty();
    assertThat(listener.status().reason())
        .startsWith("a layer is trained by itself, which has no loss on an output");
    listener.close();
    Checkpoint asked =
        StabilityAnalysis.of(
                network, data, AnalysisSettings.standard().withSeed(0).withBatchSize(EXAMPLES))
            .run();
    assertThat(asked.step().toString())
        .startsWith("OBSERVED")
        .contains("no Gram rule for a network that ends in", "(VariationalAutoencoder)");
  }
}
